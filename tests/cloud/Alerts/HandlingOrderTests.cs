using CsCheck;
using Hub.Cloud.Notifications;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>
/// Whatever people do in whatever order, with data, restarts and crashes in between: states agree with the table of ISA-18.2, shelvings end, and what is told is what a model of a few
/// lines says.
/// </summary>
public sealed class HandlingOrderTests
{
    private const string Rule = "night-noise";

    /// <summary>What happens in one step.</summary>
    private enum Act
    {
        Loud,
        Between,
        Quiet,
        Acknowledge,
        Assign,
        Shelve,
        Unshelve,
        OutOfService,
        Return,
        Restart,
        Crash,
        Late,
    }

    private static readonly Gen<(Act Act, int Minutes, int Which)> AnyStep = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Act.Loud)), (2, Gen.Const(Act.Between)), (4, Gen.Const(Act.Quiet)), (3, Gen.Const(Act.Acknowledge)), (1, Gen.Const(Act.Assign)), (4, Gen.Const(Act.Shelve)),
            (2, Gen.Const(Act.Unshelve)), (2, Gen.Const(Act.OutOfService)), (3, Gen.Const(Act.Return)), (1, Gen.Const(Act.Restart)), (1, Gen.Const(Act.Crash))),
        Gen.Int[1, 10], Gen.Int[0, 5], (act, minutes, which) => (act, minutes, which));

    private static readonly Gen<(Act Act, int Minutes, int Which)> AnyStepAndLateData =
        Gen.Frequency((4, AnyStep), (1, Gen.Select(Gen.Int[1, 90], Gen.Int[0, 5], (minutes, which) => (Act.Late, minutes, which))));

    [Fact]
    public async Task Data_in_order_and_any_acts_come_to_what_the_model_says() =>
        await AnyStep.Array[5, 40].SampleAsync(steps => CheckAsync(steps, exactly: true), iter: Repeats.Of(12, 1_000), threads: 2);

    [Fact]
    public async Task Late_data_and_any_acts_keep_to_the_table_and_to_the_silence() =>
        await AnyStepAndLateData.Array[5, 40].SampleAsync(steps => CheckAsync(steps, exactly: false), iter: Repeats.Of(12, 1_000), threads: 2);

    private static async Task CheckAsync((Act Act, int Minutes, int Which)[] steps, bool exactly)
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.CaughtUpAsync();
        var model = new Model();
        foreach (var (act, minutes, which) in steps)
        {
            await StepAsync(bench, model, act, minutes, which);
            await bench.CaughtUpAsync();
            await CheckStatesAsync(bench, model);
            if (exactly)
            {
                Assert.Equal(model.Told, bench.Notifications.Messages.Where(message => message.Kind != NotificationKind.Acknowledged).Select(message => $"{message.Kind} {message.StartedAt:HHmm}"));
            }
        }

        await CheckSilenceAsync(bench, model);
        bench.Time.Advance(bench.Handling.ShelveMax);
        await bench.CaughtUpAsync();
        Assert.DoesNotContain(bench.Handling.Suppressions(null), one => one.Kind == SuppressionKind.Shelved);
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.False(await db.Suppressions.AnyAsync(row => row.Kind == SuppressionKind.Shelved));
    }

    private static async Task StepAsync(AlertsBench bench, Model model, Act act, int minutes, int which)
    {
        var by = new HandledBy(which % 2 == 0 ? "ana" : "rui");
        var alarms = (await bench.HistoryAsync()).Where(alarm => !alarm.Withdrawn).ToArray();
        var alarm = alarms.Length == 0 ? null : alarms[which % alarms.Length];
        switch (act)
        {
            case Act.Loud or Act.Between or Act.Quiet:
                bench.Time.Advance(TimeSpan.FromMinutes(minutes));
                model.Pass(Now(bench));
                await bench.CaughtUpAsync();
                var level = act switch { Act.Loud => 75, Act.Quiet => 50, _ => 67 };
                await bench.AppendAsync(Obs.At(1, Now(bench).AddMinutes(-1), level));
                model.Take(Now(bench).AddMinutes(-1), level);
                break;
            case Act.Late:
                await bench.AppendAsync(Obs.At(1, Now(bench).AddMinutes(-minutes), which % 2 == 0 ? 75 : 50, revision: which));
                break;
            case Act.Acknowledge when alarm is not null:
                try
                {
                    Assert.Equal(model.Acknowledged.Add(alarm.Thread), await bench.Handling.AcknowledgeAsync(alarm.Id, by, null, default));
                }
                catch (HandlingRefusedException) when (alarm.Past)
                {
                    model.Acknowledged.Remove(alarm.Thread);
                }

                break;
            case Act.Assign when alarm is not null:
                Assert.Equal(model.Assign(alarm.Thread, by.Person), await bench.Handling.AssignAsync(alarm.Id, by, by.Person, null, default));
                break;
            case Act.Shelve:
                var until = Now(bench).AddMinutes(minutes);
                Assert.Equal(model.Shelve(Now(bench), until), await bench.Handling.ShelveAsync("braga", Rule, "avenida", until, by, null, default));
                break;
            case Act.Unshelve:
                Assert.Equal(model.Unshelve(Now(bench)), await bench.Handling.UnshelveAsync("braga", Rule, "avenida", by, null, default));
                break;
            case Act.OutOfService:
                Assert.Equal(model.Out(Now(bench), which % 2 == 0), await bench.Handling.TakeOutOfServiceAsync("braga", "avenida", which % 2 == 0 ? null : Rule, by, null, default));
                break;
            case Act.Return:
                Assert.Equal(model.Return(Now(bench), which % 2 == 0), await bench.Handling.ReturnToServiceAsync("braga", "avenida", which % 2 == 0 ? null : Rule, by, null, default));
                break;
            case Act.Restart:
                await bench.StopEvaluatorAsync();
                await bench.StartEvaluatorAsync();
                break;
            case Act.Crash:
                await bench.CrashAsync(bench.Series.LastCommit / 2);
                break;
            default:
                break;
        }
    }

    /// <summary>The state of every alarm by the table, from what the model knows of acknowledgements; and what is silent.</summary>
    private static async Task CheckStatesAsync(AlertsBench bench, Model model)
    {
        var alarms = await bench.HistoryAsync();
        var handled = await bench.Handling.OfAsync(alarms, default);
        foreach (var (alarm, handling) in alarms.Zip(handled))
        {
            var expected = alarm.Withdrawn || (alarm.Past && alarm.EndedAt <= alarm.DetectedAt) ? AlarmState.Normal
                : (alarm.EndedAt is null, model.Acknowledged.Contains(alarm.Thread)) switch
                {
                    (true, true) => AlarmState.ActiveAcknowledged,
                    (true, false) => AlarmState.ActiveUnacknowledged,
                    (false, true) => AlarmState.Normal,
                    (false, false) => AlarmState.ReturnedUnacknowledged,
                };
            Assert.Equal((expected, model.AssigneeOf(alarm.Thread)), (handling.State, handling.AssignedTo));
            Assert.Equal((model.ShelvedUntil, model.IsOut), (handling.Shelved?.Until, handling.OutOfService is not null));
        }
    }

    /// <summary>No key twice, nothing begins in a silence, and only what was told as active is told as ended.</summary>
    private static async Task CheckSilenceAsync(AlertsBench bench, Model model)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var told = await db.Transitions.AsNoTracking().Where(row => row.Key != null).OrderBy(row => row.Id).ToListAsync();
        Assert.All(told, row => Assert.NotNull(row.HandedAt));
        Assert.Equal(told.Select(row => row.Key), bench.Notifications.Messages.Select(message => message.Key));
        foreach (var (row, message) in told.Zip(bench.Notifications.Messages))
        {
            var silent = model.WasSilent(row.ProcessedAt);
            Assert.False(silent && (message.Kind is NotificationKind.Started or NotificationKind.Past), $"{row.Key} at {row.ProcessedAt:O} is told in a silence");
            Assert.True(!silent || message.EndedAt is not null || message.Withdrawn || message.Kind == NotificationKind.Acknowledged, $"{row.Key} at {row.ProcessedAt:O} is told in a silence and closes nothing");
        }
    }

    private static DateTime Now(AlertsBench bench) => bench.Time.GetUtcNow().UtcDateTime;

    /// <summary>One rule on one datastream, and the people.</summary>
    private sealed class Model
    {
        private readonly Dictionary<string, string> assigned = [];
        private readonly List<(DateTime From, DateTime To)> silences = [];
        private DateTime? silentSince;
        private DateTime? openSince;
        private bool isTold;
        private bool stationIsOut;
        private bool ruleIsOut;

        public HashSet<string> Acknowledged { get; } = [];

        public List<string> Told { get; } = [];

        public DateTime? ShelvedUntil { get; private set; }

        public bool IsOut => stationIsOut || ruleIsOut;

        private bool IsSilent => ShelvedUntil is not null || IsOut;

        public string? AssigneeOf(string thread) => assigned.GetValueOrDefault(thread);

        public bool WasSilent(DateTime at) => silences.Exists(one => at > one.From && at < one.To) || at > silentSince;

        public bool Assign(string thread, string person)
        {
            var before = assigned.GetValueOrDefault(thread);
            assigned[thread] = person;
            return before != person;
        }

        /// <summary>Time goes on.</summary>
        public void Pass(DateTime now)
        {
            if (ShelvedUntil <= now)
            {
                var end = ShelvedUntil.Value;
                ShelvedUntil = null;
                Settle(end);
            }
        }

        /// <summary>An observation that reaches the present.</summary>
        public void Take(DateTime at, int level)
        {
            if (level >= 70 && openSince is null)
            {
                (openSince, isTold) = (at, false);
                Settle(at);
            }
            else if (level <= 65 && openSince is { } since)
            {
                if (isTold)
                {
                    Told.Add($"Ended {since:HHmm}");
                }

                openSince = null;
            }
        }

        public bool Shelve(DateTime now, DateTime until)
        {
            var changes = ShelvedUntil != until;
            ShelvedUntil = until;
            Settle(now);
            return changes;
        }

        public bool Unshelve(DateTime now)
        {
            var changes = ShelvedUntil is not null;
            ShelvedUntil = null;
            Settle(now);
            return changes;
        }

        public bool Out(DateTime now, bool station) => Put(now, station, true);

        public bool Return(DateTime now, bool station) => Put(now, station, false);

        private bool Put(DateTime now, bool station, bool isOut)
        {
            ref var flag = ref station ? ref stationIsOut : ref ruleIsOut;
            var changes = flag != isOut;
            flag = isOut;
            Settle(now);
            return changes;
        }

        private void Settle(DateTime now)
        {
            if (IsSilent)
            {
                silentSince ??= now;
                return;
            }

            if (silentSince is { } from)
            {
                silences.Add((from, now));
                silentSince = null;
            }

            if (openSince is { } since && !isTold)
            {
                isTold = true;
                Told.Add($"Started {since:HHmm}");
            }
        }
    }
}
