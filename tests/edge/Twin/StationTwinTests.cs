using System.Text;
using System.Text.Json;
using CsCheck;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Outbox.Tests;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Twin.Tests;

/// <summary>The twin with its file, over starts, cuts and damage.</summary>
public sealed class StationTwinTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeMachine _machine = new(new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero));
    private readonly FakeSettings _settings = new();
    private readonly FakeAgent _agent = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string StatePath => _folder.File("twin/state");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_document_is_checked_applied_reported_and_settled_by_an_acknowledgement_made_after_that()
    {
        using var twin = Open();
        var first = Report(twin);
        Assert.Equal((0L, TwinOutcome.None, 0L, "0.1.0"), (first.Version, first.Outcome, first.InForce, first.Agent!.Version));
        var before = twin.Reported.Number;
        var changed = twin.ReportedChangedAsync(before);
        Assert.False(changed.IsCompleted);

        _settings.Before = () =>
        {
            // The connection is alive all the while: what it acknowledges now was said before.
            twin.ReportedAcknowledged(twin.Reported.Number);
            return Task.CompletedTask;
        };
        await twin.DesiredAsync(Document(7, "a"), Cancel);
        await changed.WaitAsync(Eventually.Limit, Cancel);
        Assert.Equal((7L, TwinOutcome.Trial, 7L), Said(twin));
        twin.ReportedAcknowledged(before);
        Assert.Equal(TwinOutcome.Trial, Report(twin).Outcome);
        twin.ReportedAcknowledged(twin.Reported.Number);
        Assert.Equal((7L, TwinOutcome.Applied, 7L), Said(twin));
        Assert.Equal(7, twin.Settled!.Version);
        Assert.Equal(["check a", "apply a"], _settings.Calls);

        await twin.DesiredAsync(Document(7, "a"), Cancel);
        Assert.Equal(2, _settings.Calls.Count);
    }

    [Theory]
    [InlineData("""{"version":8,"settings":{"name":"bad"}}""", 8, "settings.name: bad")]
    [InlineData("""{"version":8,"settings":[]}""", 8, "settings is not an object")]
    [InlineData("""{"version":8,"rules":[{"slug":"x","property":"joy","crossing":"above","setLevel":1,"clearLevel":1}]}""", 8, "property is 'joy'")]
    [InlineData("""{"version":8,"trial":"00:00:01"}""", 8, "trial is 00:00:01")]
    [InlineData("""{"version":8,""", 0, "")]
    [InlineData("[]", 0, "")]
    [InlineData("""{"settings":{}}""", 0, "version")]
    public async Task A_wrong_one_is_refused_by_name_once_and_the_one_before_stays(string document, long version, string problem)
    {
        using var twin = Open();
        await SettleAsync(twin, 7, "a");
        var calls = _settings.Calls.Count;
        await twin.DesiredAsync(Encoding.UTF8.GetBytes(document), Cancel);
        Assert.Equal((version, TwinOutcome.Refused, 7L), Said(twin));
        Assert.Contains(problem, Assert.Single(Report(twin).Problems!), StringComparison.Ordinal);
        Assert.DoesNotContain(_settings.Calls.Skip(calls), call => call.StartsWith("apply", StringComparison.Ordinal));
        var number = twin.Reported.Number;
        await twin.DesiredAsync(Encoding.UTF8.GetBytes(document), Cancel);
        Assert.Equal(number, twin.Reported.Number);
        Assert.Equal("a", twin.InForce!.Settings!.Value.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Without_the_hub_the_one_before_is_put_in_force_again_when_the_time_is_over()
    {
        using var twin = Open();
        using var stop = new CancellationTokenSource();
        var watching = twin.RunAsync(stop.Token);
        await SettleAsync(twin, 7, "a");
        await twin.DesiredAsync(Document(8, "b", "00:00:30"), Cancel);
        for (var second = 0; second < 29; second++)
        {
            _machine.Pass(TimeSpan.FromSeconds(1));
        }

        Assert.Equal((8L, TwinOutcome.Trial, 8L), Said(twin));
        await Eventually.TrueAsync(
            () =>
            {
                // The report comes last: what is in force stands before it is told.
                _machine.Pass(TimeSpan.FromSeconds(1));
                return Report(twin).Outcome == TwinOutcome.RolledBack;
            },
            "it is rolled back");
        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(twin));
        Assert.Equal("apply a", _settings.Calls[^1]);
        Assert.Contains("not reached within 00:00:30", Report(twin).Problems![0], StringComparison.Ordinal);
        await twin.DesiredAsync(Document(8, "b", "00:00:30"), Cancel);
        Assert.Equal("apply a", _settings.Calls[^1]);
        await stop.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task What_cannot_be_put_in_force_is_taken_back_at_once()
    {
        using var twin = Open();
        await SettleAsync(twin, 7, "a");
        _settings.Fails = name => name == "b";
        await twin.DesiredAsync(Document(8, "b"), Cancel);
        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(twin));
        Assert.Equal("apply a", _settings.Calls[^1]);

        // And where even the good one does not go now, it is not lost.
        _settings.Fails = _ => true;
        await twin.DesiredAsync(Document(9, "c"), Cancel);
        Assert.Equal((9L, TwinOutcome.RolledBack, 7L), Said(twin));
        using var again = Open();
        Assert.Equal((9L, TwinOutcome.RolledBack, 7L), Said(again));
    }

    [Fact]
    public async Task Stages_built_anew_are_in_force_when_they_say_so()
    {
        using var twin = Open();
        _settings.Rebuilds = true;
        await twin.DesiredAsync(Document(7, "a"), Cancel);
        twin.ReportedAcknowledged(twin.Reported.Number);
        Assert.Equal(TwinOutcome.Trial, Report(twin).Outcome);
        twin.InForceNow();
        twin.ReportedAcknowledged(twin.Reported.Number);
        Assert.Equal(TwinOutcome.Applied, Report(twin).Outcome);
    }

    [Fact]
    public async Task A_file_with_any_bit_or_length_wrong_stands_for_none_and_is_counted()
    {
        using (var twin = Open())
        {
            await SettleAsync(twin, 7, "a");
        }

        var whole = await File.ReadAllBytesAsync(StatePath, Cancel);
        for (var i = 0; i < whole.Length; i++)
        {
            var flipped = whole.ToArray();
            flipped[i] ^= (byte)(1 << (i % 8));
            Assert.Null(TwinStore.Read(flipped));
            Assert.Null(TwinStore.Read(whole.AsSpan(0, i)));
        }

        whole[whole.Length / 2] ^= 4;
        await File.WriteAllBytesAsync(StatePath, whole, Cancel);
        using (var damaged = Open())
        {
            Assert.Equal((0L, TwinOutcome.None, 0L), Said(damaged));
            Assert.Equal(1, damaged.Standing.Damaged);
            Assert.True(File.Exists(StatePath + ".damaged"));

            // What the hub keeps retained makes it whole again.
            await SettleAsync(damaged, 7, "a");
        }

        using var after = Open();
        Assert.Equal((7L, TwinOutcome.Applied, 7L), Said(after));
        Assert.Equal(0, after.Standing.Damaged);
    }

    [Fact]
    public async Task What_the_disk_does_not_take_is_not_done()
    {
        using var twin = Open();
        await SettleAsync(twin, 7, "a");
        File.Delete(StatePath);
        Directory.CreateDirectory(StatePath);
        await File.WriteAllTextAsync(Path.Combine(StatePath, "in-the-way"), "", Cancel);
        await twin.DesiredAsync(Document(8, "b"), Cancel);
        Assert.Equal((7L, TwinOutcome.Applied, 7L), Said(twin));
        Assert.DoesNotContain("apply b", _settings.Calls);
        Directory.Delete(StatePath, recursive: true);
        await twin.DesiredAsync(Document(8, "b"), Cancel);
        Assert.Equal((8L, TwinOutcome.Trial, 8L), Said(twin));
    }

    [Fact]
    public void The_report_follows_the_agent()
    {
        using var twin = Open();
        var number = twin.Reported.Number;
        _agent.Change(new ReportedAgent("1.4.0", "linux-x64"));
        Assert.True(twin.Reported.Number > number);
        Assert.Equal("1.4.0", Report(twin).Agent!.Version);
    }

    /// <summary>
    /// Any sequence of documents, connections, time and kills - a kill also between writing down and applying - on a real folder: what is in force is always the last that reached the
    /// hub or one on trial, a bad one never, one that was rolled back never again, and without a hub every trial ends.
    /// </summary>
    [Fact]
    public async Task Killed_at_any_step_it_goes_on_from_what_was_written_down() =>
        await Gen.Select(Gen.Int[0, 6], Gen.Int[1, 5]).Array[1, 25].SampleAsync(
            async steps =>
            {
                using var folder = new TempFolder();
                var machine = new FakeMachine(new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero));
                var settings = new FakeSettings();
                var twin = Make();
                var (good, tried, rolledBack) = ("", "", new HashSet<string>());
                twin.InForceNow();
                foreach (var (step, number) in steps)
                {
                    var name = $"n{number}";
                    var before = InForce();
                    switch (step)
                    {
                        case 0 or 1:
                            await twin.DesiredAsync(Document(number, name, "00:00:30"), Cancel);
                            break;
                        case 2:
                            await twin.DesiredAsync(Document(number, "bad"), Cancel);
                            break;
                        case 3:
                            twin.ReportedAcknowledged(twin.Reported.Number);
                            break;
                        case 4:
                            // Killed after the decision is written down, while it is being put in force.
                            settings.Before = () => new TaskCompletionSource().Task;
                            _ = twin.DesiredAsync(Document(number, name, "00:00:30"), CancellationToken.None);
                            settings = new FakeSettings();
                            twin = Make();
                            twin.InForceNow();
                            break;
                        case 5:
                            twin = Make();
                            twin.InForceNow();
                            break;
                        default:
                            machine.Pass(TimeSpan.FromSeconds(31));
                            twin = Make();
                            twin.InForceNow();
                            break;
                    }

                    var standing = twin.Standing;
                    var now = InForce();
                    Assert.NotEqual("bad", now);
                    if (twin.Settled is not null)
                    {
                        good = now;
                    }

                    if (standing.Outcome == TwinOutcome.RolledBack && tried.Length > 0 && now != tried)
                    {
                        rolledBack.Add(tried);
                    }

                    tried = standing.Outcome == TwinOutcome.Trial ? now : "";
                    Assert.True(now == good || twin.Settled is null, $"In force is {now}, good was {good}.");
                    if (tried.Length > 0 && now != before)
                    {
                        Assert.DoesNotContain(tried, rolledBack);
                    }
                }

                // Left alone, it ends where it was good.
                for (var start = 0; start <= TwinMachine.StartsMax + 1; start++)
                {
                    twin = Make();
                }

                Assert.Equal(good, InForce());
                Assert.NotEqual(TwinOutcome.Trial, twin.Standing.Outcome);

                string InForce() => twin.InForce?.Settings?.GetProperty("name").GetString() ?? "";
                StationTwin Make() => StationTwin.Open(folder.File("twin"), settings, new FakeAgent(), machine, machine.Timers);
            },
            iter: 60,
            threads: 1);

    private static byte[] Document(long version, string name, string trial = "00:05:00") => Encoding.UTF8.GetBytes($$"""{"version":{{version}},"settings":{"name":"{{name}}"},"trial":"{{trial}}"}""");

    private static ReportedState Report(StationTwin twin) => ReportedState.TryRead(twin.Reported.Utf8.Span, out var state, out var problem) ? state : throw new InvalidOperationException(problem);

    private static (long Version, TwinOutcome Outcome, long InForce) Said(StationTwin twin)
    {
        var (report, standing) = (Report(twin), twin.Standing);
        Assert.Equal((standing.Version, standing.Outcome, standing.InForce), (report.Version, report.Outcome, report.InForce));
        return (report.Version, report.Outcome, report.InForce);
    }

    private static async Task SettleAsync(StationTwin twin, long version, string name)
    {
        await twin.DesiredAsync(Document(version, name), Cancel);
        twin.ReportedAcknowledged(twin.Reported.Number);
        Assert.Equal((version, TwinOutcome.Applied, version), Said(twin));
    }

    private StationTwin Open()
    {
        var twin = StationTwin.Open(_folder.File("twin"), _settings, _agent, _machine, _machine.Timers);
        twin.LogTo(NullLogger.Instance);
        return twin;
    }

    private sealed class FakeSettings : ITwinSettings
    {
        public List<string> Calls { get; } = [];

        public Func<Task> Before { get; set; } = () => Task.CompletedTask;

        public Func<string, bool> Fails { get; set; } = _ => false;

        public bool Rebuilds { get; set; }

        public IReadOnlyList<string> Check(JsonElement? settings)
        {
            Calls.Add($"check {Name(settings)}");
            return Name(settings) == "bad" ? ["settings.name: bad"] : [];
        }

        public async Task<bool> ApplyAsync(JsonElement? settings, long version, CancellationToken cancellationToken)
        {
            await Before();
            Calls.Add($"apply {Name(settings)}");
            return Fails(Name(settings)) ? throw new InvalidOperationException("It does not go.") : !Rebuilds;
        }

        private static string Name(JsonElement? settings) => settings is { } given && given.TryGetProperty("name", out var name) ? name.GetString()! : "";
    }

    private sealed class FakeAgent : IReportedAgent
    {
        private Action _changed = () => { };

        public ReportedAgent Agent { get; private set; } = new("0.1.0", "linux-x64");

        public void OnChange(Action changed) => _changed += changed;

        public void Change(ReportedAgent agent)
        {
            Agent = agent;
            _changed();
        }
    }
}
