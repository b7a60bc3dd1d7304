using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Uplink;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Commands.Tests;

/// <summary>Each command of FORMAT.md, through the door that Uplink uses.</summary>
public sealed class CommandDeskTests : IAsyncDisposable
{
    private readonly WatchedTime _time = new(new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero));
    private readonly TempFolder _leds = new();
    private readonly FakeAgentDesk _agent = new();
    private readonly FakeSampling _sampling = new();
    private readonly FakeUplink _uplink = new();
    private readonly FakeGpio _gpio = new();
    private readonly List<ServiceProvider> _providers = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in _providers)
        {
            foreach (var service in provider.GetServices<IHostedService>())
            {
                await service.StopAsync(CancellationToken.None);
            }

            await provider.DisposeAsync();
        }

        _leds.Dispose();
    }

    [Theory]
    [InlineData("dance", "", "This station knows no command 'dance'")]
    [InlineData("restart", "[]", "no JSON object")]
    [InlineData("restart", "{", "no JSON")]
    [InlineData("restart", """{"a":1,"a":2}""", "no JSON")]
    [InlineData("read-now", """{"sensor":5}""", "sensor: give a text")]
    [InlineData("read-now", """{"sensor":"none"}""", "There is no sensor 'none'; there are air, noise.")]
    [InlineData("identify", """{"seconds":0}""", "seconds: give a whole number, 1 to 600")]
    [InlineData("identify", """{"seconds":601}""", "seconds: give a whole number, 1 to 600")]
    [InlineData("identify", """{"seconds":1.5}""", "seconds: give a whole number, 1 to 600")]
    [InlineData("identify", "", "This station has no light to blink with")]
    [InlineData("diagnostics", """{"lines":1001}""", "lines: give a whole number, 0 to 1000")]
    [InlineData("rotate-credentials", "", "secret: give 16 to 256 visible ASCII characters")]
    [InlineData("rotate-credentials", """{"secret":"short"}""", "secret: give 16 to 256 visible ASCII characters")]
    [InlineData("rotate-credentials", """{"secret":"sixteen characters with blanks"}""", "secret: give 16 to 256 visible ASCII characters")]
    public async Task What_the_station_will_not_do_is_refused_with_the_reason(string name, string payload, string reason)
    {
        var reply = (await DoAsync(Make(), name, payload)).Reply;
        Assert.Equal(CommandOutcome.Refused, reply.Outcome);
        Assert.Contains(reason, reply.Problem, StringComparison.Ordinal);
        Assert.Equal(0, _agent.Restarts);
        Assert.Empty(_uplink.Rotated);
    }

    [Fact]
    public async Task Restart_is_answered_first_and_done_then()
    {
        var answer = await DoAsync(Make(), "restart", "");
        Assert.Equal(CommandOutcome.Done, answer.Reply.Outcome);
        Assert.Equal(0, _agent.Restarts);
        answer.Afterwards!();
        Assert.Equal(1, _agent.Restarts);
    }

    [Fact]
    public async Task Read_now_asks_whom_it_can_and_gives_the_newest_of_each()
    {
        var at = new DateTime(2026, 11, 26, 3, 59, 0, DateTimeKind.Utc);
        _sampling.Readings = [new Reading("air", "pm10", at, 21.5) { Period = TimeSpan.FromMinutes(1), Quality = Quality.WarmingUp }, new Reading("noise", "laeq", at, 61)];
        _sampling.CanBeAsked = ["air"];
        var reading = DoAsync(Make(), "read-now", "");
        await Eventually.TrueAsync(() => _sampling.Asked.Count == 1, "it asks");
        _sampling.States[0] = _sampling.States[0] with { Taken = 11 };
        _sampling.Readings = [.. _sampling.Readings, new Reading("air", "pm10", at.AddMinutes(1), 23)];
        await PassAsync(reading, TimeSpan.FromMilliseconds(100));
        var reply = (await reading).Reply;
        Assert.Equal(CommandOutcome.Done, reply.Outcome);
        var readings = reply.Result!.Value.GetProperty("readings").EnumerateArray().Select(r => r.GetRawText()).ToArray();
        Assert.Equal(
            [
                """{"sensor":"air","property":"pm10","unit":"ug/m3","value":23,"time":"2026-11-26T04:00:00Z","quality":0}""",
                """{"sensor":"air","property":"pm10","unit":"ug/m3","value":21.5,"time":"2026-11-26T03:59:00Z","quality":1,"period":60}""",
                """{"sensor":"noise","property":"laeq","unit":"dB","value":61,"time":"2026-11-26T03:59:00Z","quality":0}""",
            ],
            readings);
    }

    [Fact]
    public async Task Read_now_of_a_sensor_that_fails_says_why_after_a_while_and_gives_what_there_was()
    {
        _sampling.CanBeAsked = ["air"];
        _sampling.Readings = [new Reading("air", "pm10", _time.GetUtcNow().UtcDateTime, 21.5)];
        _sampling.States[0] = _sampling.States[0] with { Condition = SensorCondition.Failing, Failure = "The bus is stuck." };
        var reading = DoAsync(Make(), "read-now", """{"sensor":"air"}""");
        await PassAsync(reading, TimeSpan.FromSeconds(1));
        var reply = (await reading).Reply;
        Assert.Equal((CommandOutcome.Failed, "air: The bus is stuck."), (reply.Outcome, reply.Problem));
        Assert.Equal(1, reply.Result!.Value.GetProperty("readings").GetArrayLength());
    }

    [Fact]
    public async Task Identify_blinks_a_line_for_as_long_as_asked_and_leaves_it_dark()
    {
        var door = Make(("Agent:Identify:Pin", "17"), ("Agent:Identify:ActiveLow", "true"));
        Assert.Equal(CommandOutcome.Done, (await DoAsync(door, "identify", """{"seconds":2}""")).Reply.Outcome);
        await BlinkAsync(() => _gpio.Written.Count >= 4);
        Assert.Equal(0, _gpio.Closed);

        // Asked again meanwhile: the same blinking, longer.
        Assert.Equal(CommandOutcome.Done, (await DoAsync(door, "identify", """{"seconds":1}""")).Reply.Outcome);
        await BlinkAsync(() => _gpio.Closed == 1);
        Assert.Equal(1, _gpio.Opened);
        Assert.Equal([false, true, false, true], _gpio.Written.Take(4));
        Assert.True(_gpio.Written[^1], "a light that is on while the line is low ends high");
    }

    [Fact]
    public async Task Asked_again_in_the_moment_it_ends_it_begins_again()
    {
        var door = Make(("Agent:Identify:Pin", "17"));
        Task<CommandAnswer>? again = null;
        _gpio.Closing = () => again ??= DoAsync(door, "identify", """{"seconds":1}""");
        await DoAsync(door, "identify", """{"seconds":1}""");
        await BlinkAsync(() => _gpio.Closed == 2);
        Assert.Equal(CommandOutcome.Done, (await again!).Reply.Outcome);
        Assert.Equal(2, _gpio.Opened);

        // Four halves each time, and dark at the end.
        Assert.Equal([true, false, true, false, false, true, false, true, false, false], _gpio.Written);
    }

    [Fact]
    public async Task A_line_that_is_taken_is_refused_by_name()
    {
        _gpio.Busy = true;
        var reply = (await DoAsync(Make(("Agent:Identify:Pin", "17")), "identify", "")).Reply;
        Assert.Equal(CommandOutcome.Refused, reply.Outcome);
        Assert.StartsWith("GPIO line 17 (identify.pin) cannot be opened", reply.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ACT", null)]
    [InlineData("led0", null)]
    [InlineData("status:green", "status:green")]
    public async Task Without_a_line_the_boards_own_light_blinks_and_gets_its_trigger_back(string name, string? named)
    {
        var led = _leds.File(name);
        Directory.CreateDirectory(led);
        await File.WriteAllTextAsync(Path.Combine(led, "trigger"), "none rc-feedback [mmc0] timer", Cancel);
        await File.WriteAllTextAsync(Path.Combine(led, "max_brightness"), "255\n", Cancel);
        await File.WriteAllTextAsync(Path.Combine(led, "brightness"), "0", Cancel);
        (string, string)[] settings = named is null ? [] : [("Agent:Identify:Led", named)];
        Assert.Equal(CommandOutcome.Done, (await DoAsync(Make(settings), "identify", """{"seconds":1}""")).Reply.Outcome);
        await Eventually.TrueAsync(() => Read("brightness") == "255" && Read("trigger") == "none", "it is on");
        await BlinkAsync(() => Read("trigger") == "mmc0");
        Assert.Equal("0", Read("brightness"));

        string Read(string file) => File.ReadAllText(Path.Combine(led, file));
    }

    [Fact]
    public async Task Diagnostics_gives_settings_status_and_the_last_lines_and_fits()
    {
        _agent.Lines = [.. Enumerable.Range(0, 1000).Select(n => $"{n} {new string('ü', 200)}")];
        var reply = (await DoAsync(Make(), "diagnostics", """{"lines":1000}""")).Reply;
        Assert.Equal(CommandOutcome.Done, reply.Outcome);
        Assert.InRange(reply.ToUtf8().Length, CommandReply.BytesMax / 2, CommandReply.BytesMax);
        var result = reply.Result!.Value;
        Assert.Equal("hub-agent 1.2.3", result.GetProperty("agent").GetString());
        Assert.Equal("hub.secret = (hidden) (file)", result.GetProperty("settings")[0].GetString());
        Assert.Equal(5, result.GetProperty("status").GetProperty("held").GetInt32());
        Assert.StartsWith("999 ", result.GetProperty("log").EnumerateArray().Last().GetString(), StringComparison.Ordinal);

        _agent.Lines = [.. Enumerable.Range(0, 1000).Select(n => $"{n}")];
        Assert.Equal(200, (await DoAsync(Make(), "diagnostics", "")).Reply.Result!.Value.GetProperty("log").GetArrayLength());
        Assert.Equal(0, (await DoAsync(Make(), "diagnostics", """{"lines":0}""")).Reply.Result!.Value.GetProperty("log").GetArrayLength());
    }

    [Theory]
    [InlineData(RotationOutcome.Accepted, CommandOutcome.Done, null)]
    [InlineData(RotationOutcome.Refused, CommandOutcome.Failed, "did not accept")]
    [InlineData(RotationOutcome.Unreachable, CommandOutcome.Failed, "neither accepted nor refused")]
    [InlineData(RotationOutcome.NoFolder, CommandOutcome.Refused, "no folder")]
    public async Task A_new_secret_goes_to_the_uplink_and_what_became_of_it_to_the_hub(RotationOutcome outcome, CommandOutcome expected, string? problem)
    {
        _uplink.Outcome = outcome;
        var reply = (await DoAsync(Make(), "rotate-credentials", """{"secret":"0123456789abcdef"}""")).Reply;
        Assert.Equal(expected, reply.Outcome);
        Assert.Contains(problem ?? "", reply.Problem ?? "", StringComparison.Ordinal);
        Assert.Equal(["0123456789abcdef"], _uplink.Rotated);
        Assert.DoesNotContain("0123456789abcdef", Encoding.UTF8.GetString(reply.ToUtf8()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_does_not_take_a_secret_is_said()
    {
        _uplink.Fails = true;
        var reply = (await DoAsync(Make(), "rotate-credentials", """{"secret":"0123456789abcdef"}""")).Reply;
        Assert.Equal(CommandOutcome.Failed, reply.Outcome);
        Assert.Contains("could not be written", reply.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pin", "-1")]
    [InlineData("Pin", "2000")]
    [InlineData("Led", "")]
    [InlineData("Led", "../../etc")]
    public void A_wrong_setting_is_said_with_its_key(string key, string value)
    {
        using var provider = Provider(($"Agent:Identify:{key}", value));
        var failure = Assert.ThrowsAny<Exception>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains($"Agent:Identify:{key}", failure.ToString(), StringComparison.Ordinal);
    }

    private static Task<CommandAnswer> DoAsync(ICommandLink door, string name, string payload) => door.CommandAsync(name, Encoding.UTF8.GetBytes(payload), Cancel);

    private Task PassAsync(Task task, TimeSpan step) => Eventually.TrueAsync(
        () =>
        {
            if (!task.IsCompleted)
            {
                _time.Advance(step);
            }

            return task.IsCompleted;
        },
        "it is done");

    /// <summary>Lets time pass as the light follows: the seconds to blink count from the command, and are over too soon where they go by before it has begun.</summary>
    private async Task BlinkAsync(Func<bool> state)
    {
        await Eventually.TrueAsync(() => _time.Begun(Identify.Half) > 0, "it has begun");
        await Eventually.TrueAsync(() => state() || (_time.TryPass(Identify.Half) && state()), "it blinks");
    }

    private ICommandLink Make(params (string Key, string Value)[] settings)
    {
        var provider = Provider(settings);
        _providers.Add(provider);
        return provider.GetRequiredService<ICommandLink>();
    }

    private ServiceProvider Provider(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
        return new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(_time).AddSingleton<IAgentDesk>(_agent).AddSingleton<ISampling>(_sampling).AddSingleton<IUplink>(_uplink)
            .AddSingleton<IBuses>(new FakeBuses(_gpio)).AddHubCommands(configuration, _leds.Path).AddHubCommands(configuration).BuildServiceProvider();
    }
}
