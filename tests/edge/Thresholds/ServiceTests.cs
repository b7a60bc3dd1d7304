using System.Collections.Concurrent;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Thresholds.Tests;

public sealed class ServiceTests : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(Sample.Noon));
    private readonly List<ThresholdsService> services = [];
    private readonly Link link = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string AlarmsPath => folder.File("thresholds.json");

    public async ValueTask DisposeAsync()
    {
        foreach (ThresholdsService service in services)
        {
            await service.StopAsync(CancellationToken.None);
            service.Dispose();
        }

        folder.Dispose();
    }

    [Fact]
    public async Task An_output_follows_the_alarm_of_its_rule_and_is_off_from_the_start_and_at_the_end()
    {
        var output = new Output();
        ThresholdsService service = await StartAsync(output, Options());
        await UntilAsync(() => output.Last is { On: false }, "it is off from the start");
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => output.Last is { On: true, Sensor: "air", Value: 60 }, "it is on");
        service.Taken(Sample.Reading(40, 60));
        await UntilAsync(() => output.Last is { On: false, Value: 40 }, "it is off");
        service.Taken(Sample.Reading(60, 120));
        await UntilAsync(() => output.Last is { On: true }, "it is on again");
        await service.StopAsync(Cancel);
        Assert.Equal((false, true, true), (output.Last!.Value.On, output.Stopped, output.Disposed));
    }

    [Fact]
    public async Task One_that_acts_without_the_hub_waits_for_more_than_a_blink_and_goes_off_when_the_hub_is_back()
    {
        var output = new Output();
        link.IsConnected = true;
        ThresholdsOptions options = Options();
        options.Actions[0].OnlyWithoutHub = true;
        ThresholdsService service = await StartAsync(output, options);
        await UntilAsync(() => output.Last is { On: false }, "it is off from the start");
        service.Taken(Sample.Reading(60));
        await PassAsync(TimeSpan.FromMinutes(5));
        link.IsConnected = false;
        await PassAsync(TimeSpan.FromSeconds(25));
        link.IsConnected = true;
        await PassAsync(TimeSpan.FromSeconds(5));

        // It has been seen to be back, or the next loss would count from the first.
        int looks = link.Looks;
        await UntilAsync(() => link.Looks > looks, "it looks at the connection");
        Assert.Single(output.Words);
        link.IsConnected = false;
        long lost = time.GetTimestamp();
        await UntilAsync(() => output.Last is { On: true }, "it is on without the hub");
        Assert.True(time.GetElapsedTime(lost) >= options.WithoutHubAfter);
        link.IsConnected = true;
        await UntilAsync(() => output.Last is { On: false }, "it is off with the hub");
    }

    [Fact]
    public async Task An_output_that_fails_is_tried_again_ever_more_rarely_and_hurts_nobody()
    {
        var broken = new Output { Fails = true };
        var well = new Output();
        ThresholdsOptions options = Options();
        options.Actions.Add(new ThresholdActionOptions { Rule = "pm10-high", Pin = 18 });
        ThresholdsService service = await StartAsync([broken, well], options);
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => well.Last is { On: true }, "the neighbour is on");
        await UntilAsync(() => broken.Attempts >= 8, "it is tried again and again");
        int attempts = broken.Attempts;
        await PassAsync(TimeSpan.FromSeconds(50));
        Assert.InRange(broken.Attempts, attempts, attempts + 1);
        service.Taken(Sample.Reading(70, 60));
        broken.Fails = false;
        await UntilAsync(() => broken.Last is { On: true }, "it is on at last");
    }

    [Fact]
    public async Task What_does_not_hold_any_more_is_told_again()
    {
        var output = new Output();
        ThresholdsService service = await StartAsync(output, Options());
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => output.Last is { On: true }, "it is on");
        int told = output.Words.Count;
        await PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(told, output.Words.Count);
        output.Holds = false;
        await UntilAsync(() => output.Words.Count > told && output.Holds, "it is told again");
        Assert.True(output.Last!.Value.On);
    }

    /// <summary>A power cut while an alarm is on: after it the output is on before any reading has come.</summary>
    [Fact]
    public async Task After_a_crash_outputs_are_as_they_were()
    {
        ThresholdsService service = await StartAsync(new Output(), Options());
        service.Set([Sample.Rule("of-the-hub", set: 55)]);
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => File.Exists(AlarmsPath) && File.ReadAllText(AlarmsPath).Contains("of-the-hub", StringComparison.Ordinal), "both alarms are written");
        File.Copy(AlarmsPath, folder.File("after-the-cut"));
        File.WriteAllText(folder.File("after-the-cut.new"), "half a fi");

        var output = new Output();
        ThresholdsOptions options = Options();
        options.Actions.Add(new ThresholdActionOptions { Rule = "of-the-hub", Pin = 18 });
        var other = new Output();
        ThresholdsService again = await StartAsync([output, other], options, folder.File("after-the-cut"));
        await UntilAsync(() => output.Last is { On: true }, "it is on without a reading");
        await UntilAsync(() => other.Last is { On: false }, "that of a rule which is not there yet is off");
        again.Set([Sample.Rule("of-the-hub", set: 55)]);
        await UntilAsync(() => other.Last is { On: true }, "that of the hub's rule is on when the rule is there");
        again.Taken(Sample.Reading(40, -100_000));
        await UntilAsync(() => output.Last is { On: false } && other.Last is { On: false }, "both are off");
        await UntilAsync(() => !File.ReadAllText(folder.File("after-the-cut")).Contains("of-the-hub", StringComparison.Ordinal), "that is written");
    }

    [Fact]
    public async Task A_damaged_file_begins_with_all_off_and_is_replaced()
    {
        File.WriteAllText(AlarmsPath, "{ \"format\": 1, \"active\": [] }");
        var output = new Output();
        ThresholdsService service = await StartAsync(output, Options());
        await UntilAsync(() => output.Last is { On: false }, "it is off");
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => new AlarmFile(AlarmsPath).Read(out _) is { Count: 1 }, "the file is good again");
    }

    [Fact]
    public async Task The_card_is_written_when_an_alarm_changes_and_not_for_readings()
    {
        ThresholdsService service = await StartAsync(new Output(), Options());
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => File.Exists(AlarmsPath), "the alarm is written");
        File.Delete(AlarmsPath);
        for (int n = 1; n < 500; n++)
        {
            service.Taken(Sample.Reading(60 + (n % 30), n));
        }

        // Nor for rules that are said again.
        service.Set([]);
        await PassAsync(TimeSpan.FromMinutes(5));
        Assert.False(File.Exists(AlarmsPath));
        service.Taken(Sample.Reading(0, 1000));
        await UntilAsync(() => File.Exists(AlarmsPath), "the end is written");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_tried_again()
    {
        Directory.CreateDirectory(AlarmsPath + ".new");
        var output = new Output();
        ThresholdsService service = await StartAsync(output, Options());
        service.Taken(Sample.Reading(60));
        await UntilAsync(() => output.Last is { On: true }, "the output is on all the same");
        Directory.Delete(AlarmsPath + ".new");
        await UntilAsync(() => File.Exists(AlarmsPath), "it is written at last");
    }

    [Fact]
    public async Task An_alarm_of_a_sensor_that_is_gone_is_not_restored()
    {
        new AlarmFile(AlarmsPath).Write([new ActiveAlarm(Sample.Rule(), "gone", 60, Sample.Noon, 60)]);
        var output = new Output();
        await StartAsync([output], Options(), fitted: new HashSet<string> { "air" });
        await UntilAsync(() => output.Last is { On: false }, "it is off");
    }

    [Fact]
    public async Task Wrong_rules_are_left_out_and_the_others_watched()
    {
        ThresholdsService service = await StartAsync(new Output(), Options());
        service.Set([Sample.Rule("good"), Sample.Rule("good", set: 70), Sample.Rule("Bad Name"), Sample.Rule("wrong", set: 10, clear: 20), .. Enumerable.Range(0, 200).Select(n => Sample.Rule($"r{n}"))]);
        service.Taken(Sample.Reading(60));
        Assert.Equal(DesiredState.RulesMax + 1, service.States.Count);
        Assert.Contains(service.States, state => state is { Rule: "good", Phase: ThresholdPhase.Active });
        Assert.DoesNotContain(service.States, state => state.Rule is "wrong" or "Bad Name");
    }

    private static ThresholdsOptions Options() => new()
    {
        Rules = { new ThresholdRuleOptions { Slug = "pm10-high", Property = "pm10", SetLevel = 50, ClearLevel = 45 } }, Actions = { new ThresholdActionOptions { Rule = "pm10-high", Pin = 17 } },
    };

    private Task<ThresholdsService> StartAsync(Output output, ThresholdsOptions options) => StartAsync([output], options);

    private async Task<ThresholdsService> StartAsync(Output[] outputs, ThresholdsOptions options, string? path = null, IReadOnlySet<string>? fitted = null)
    {
        var service = new ThresholdsService(options, new AlarmFile(path ?? AlarmsPath), fitted, (_, index) => outputs[index], link, new ThresholdsInstruments(), time, NullLogger<ThresholdsService>.Instance);
        services.Add(service);
        await service.StartAsync(Cancel);
        return service;
    }

    private async Task PassAsync(TimeSpan span)
    {
        // A step for each second: on a busy machine hundreds of them take their time.
        DateTimeOffset end = time.GetUtcNow() + span;
        await UntilAsync(() => time.GetUtcNow() >= end, "the time has passed", Eventually.Limit * 5);
    }

    private Task UntilAsync(Func<bool> state, string what, TimeSpan? limit = null) => Eventually.TrueAsync(
        () =>
        {
            if (state())
            {
                return true;
            }

            time.Advance(TimeSpan.FromSeconds(1));
            return state();
        },
        what,
        limit);

    private sealed class Link : IHubLink
    {
        public volatile bool Connected;

        private int looks;

        /// <summary>How often somebody has begun to look.</summary>
        public int Looks => Volatile.Read(ref looks);

        public bool IsConnected
        {
            get
            {
                Interlocked.Increment(ref looks);
                return Connected;
            }

            set => Connected = value;
        }
    }

    private sealed class Output : IOutput
    {
        public ConcurrentQueue<AlarmWord> Words { get; } = new();

        public AlarmWord? Last => Words.IsEmpty ? null : Words.Last();

        public volatile bool Fails;

        public volatile bool Holding;

        public volatile int Attempts;

        public string What => "lamp";

        public bool Holds
        {
            get => Holding;
            set => Holding = value;
        }

        public bool Stopped { get; private set; }

        public bool Disposed { get; private set; }

        public Task SetAsync(AlarmWord word, bool stopping, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref Attempts);
            if (Fails)
            {
                throw new OutputException("The lamp is broken.", new IOException("broken"));
            }

            Holding = true;
            Stopped = stopping;
            Words.Enqueue(word);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            Disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
