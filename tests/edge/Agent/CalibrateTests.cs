using System.Collections;
using Hub.Edge.Calibrations;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Agent.Tests;

/// <summary>The walk through a zero and a span, with an NO2 cell behind a converter on a simulated bus. Its sensitivity in the station file is 0.25 mV/ppb.</summary>
public sealed class CalibrateTests : IDisposable
{
    /// <summary>ug/m3 of NO2 that one millivolt is, by the station file.</summary>
    private const double Slope = 1.9125 / 0.25;

    private readonly TempFolder _folder = new();
    private readonly WatchedTime _time = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));
    private readonly SimulatedGasBoard _board = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly CalibrationJournal _journal;

    public CalibrateTests() => _journal = new CalibrationJournal(_folder.File("agent-data/calibrations"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_script_measures_zero_and_span_and_the_calibration_makes_the_instrument_say_the_references()
    {
        // In zero air the cell gives 2 mV, and 20 % less than its certificate says for 200 ug/m3. Gas comes slowly, and nobody presses a key when it is changed.
        DateTimeOffset span = _time.GetUtcNow().AddMinutes(4);
        _board.Working = () => 2 + (_time.GetUtcNow() < span ? 0 : 0.8 * 200 / Slope * (1 - Math.Exp(-(_time.GetUtcNow() - span).TotalSeconds / 30)));
        Assert.Equal(0, await RunAsync(new() { Sensor = "gas", Quantity = "no2", Zero = 0, Span = 200, Reference = "cylinder 4711", Celsius = 21.5, By = "A. Silva", Yes = true }));

        CalibrationRecord record = Assert.Single(_journal.Read().Records);
        Assert.Equal((1, CalibrationAct.TwoPoint, "no2", "ug/m3", "alphasenseb4"), (record.Version, record.Act, record.Quantity, record.Unit, record.Kind));
        Assert.Equal(("A. Silva", "cylinder 4711", 21.5), (record.By, record.Reference, record.Celsius));
        Assert.Equal(_time.GetUtcNow().UtcDateTime, record.At, TimeSpan.FromSeconds(30));
        Assert.Equal(1.25, record.After.Gain, 0.05);
        var applied = new AppliedCalibration(record.After.Gain, record.After.Offset, 1, null);
        Assert.Equal(0, applied.Apply(2 * Slope), 1.5);
        Assert.Equal(200, applied.Apply((2 + (0.8 * 200 / Slope)) * Slope), 8.0);
        Assert.Equal([0.0, 200.0], record.Points.Select(point => point.Reference));
        Assert.All(record.Points, point => Assert.True(point.Raw.Count == 12 && point.Raw.To > point.Raw.From));
        Assert.Contains("waiting until the reading stands still", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Recorded calibration 1 of gas/no2", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task A_person_is_asked_what_is_needed_and_may_say_no()
    {
        _board.Working = () => 3;
        const string Answers = "gas\nno2\n0\n\n\nzero air\nno\n";
        Assert.Equal(1, await RunAsync(new(), Answers, "\n  - { name: other, kind: simulated }"));
        Assert.Contains("not recorded", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_journal.Read().Records);

        Assert.Equal(0, await RunAsync(new(), Answers.Replace("no\n", "yes\n", StringComparison.Ordinal), "\n  - { name: other, kind: simulated }"));
        CalibrationRecord record = Assert.Single(_journal.Read().Records);
        Assert.Equal((CalibrationAct.Zero, 1.0, "zero air"), (record.Act, record.After.Gain, record.Reference));
        Assert.Equal(-3 * Slope, record.After.Offset, 1e-6);
        foreach (var question in (string[])["Which sensor (gas, other)?", "Which quantity (no2, no2_working_electrode", "True value of the zero", "press Enter", "What was the reference", "Record this as calibration 1 of gas/no2"])
        {
            Assert.Contains(question, _output.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_next_ones_count_up_an_undo_brings_back_what_was_and_the_list_tells_it_all()
    {
        _board.Working = () => 3;
        Assert.Equal(0, await RunAsync(new() { Quantity = "no2", Zero = 0, Yes = true, By = "first" }));
        _board.Working = () => 5;
        Assert.Equal(0, await RunAsync(new() { Quantity = "no2", Zero = 0, Yes = true, By = "second" }));
        Assert.Equal(0, await RunAsync(new() { Undo = true, Yes = true, By = "third" }));
        Assert.Equal(0, await RunAsync(new() { Undo = true, Yes = true }));
        Assert.Equal(2, await RunAsync(new() { Undo = true, Yes = true }));
        Assert.Contains("no recorded calibration that could be taken back", _error.ToString(), StringComparison.Ordinal);

        IReadOnlyList<CalibrationRecord> records = _journal.Read().Of("gas", "no2");
        Assert.Equal([1, 2, 3, 4], records.Select(record => record.Version));
        Assert.Equal([-3 * Slope, -5 * Slope, -3 * Slope, 0], records.Select(record => Math.Round(record.After.Offset, 6)), (a, b) => Math.Abs(a - b) < 1e-5);

        _output.GetStringBuilder().Clear();
        _time.Advance(TimeSpan.FromDays(60));
        Assert.Equal(0, await RunAsync(new() { List = true }));
        var list = _output.ToString();
        Assert.Contains("gas/no2", list, StringComparison.Ordinal);
        Assert.Contains("undo of 2", list, StringComparison.Ordinal);
        Assert.Contains("by second", list, StringComparison.Ordinal);
        Assert.DoesNotContain("next due", list, StringComparison.Ordinal);

        Assert.Equal(0, await RunAsync(new() { Quantity = "no2", Zero = 0, Yes = true }));
        _time.Advance(TimeSpan.FromDays(100));
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(new() { List = true }));
        Assert.Contains("values are flagged", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_reason_to_refuse_is_named_and_changes_nothing()
    {
        // A cell that still moves, one that drifted, one that cannot tell span from zero, one that is another gas altogether.
        var began = _time.GetUtcNow();
        _board.Working = () => (_time.GetUtcNow() - began).TotalSeconds / 4;
        await Refused("unstable", new() { Quantity = "no2", Zero = 0, Yes = true, Patience = TimeSpan.FromMinutes(3) });
        await Refused("too short", new() { Quantity = "no2", Zero = 0, Yes = true, Patience = TimeSpan.FromSeconds(75) });
        await Refused("WarmingUp", new() { Quantity = "no2", Zero = 0, Yes = true, Patience = TimeSpan.FromSeconds(20) });
        _board.Working = () => 2;
        await Refused("gave no co", new() { Quantity = "co", Zero = 0, Yes = true, Patience = TimeSpan.FromSeconds(75) });
        await Refused("too near", new() { Quantity = "no2", Span = 10, Yes = true });
        await Refused("gain would be", new() { Quantity = "no2", Span = 1500, Yes = true });
        Assert.Empty(_journal.Read().Records);

        Assert.Equal(0, await RunAsync(new() { Quantity = "no2", Zero = 0, Yes = true }));
        _board.Working = () => 20;
        await Refused("drifted", new() { Quantity = "no2", Zero = 0, Yes = true });
        Assert.Single(_journal.Read().Records);
        Assert.Equal(0, await RunAsync(new() { Quantity = "no2", Zero = 0, Yes = true, AcceptDrift = true }));
        Assert.Equal(2, _journal.Read().Records.Count);

        async Task Refused(string expected, CalibrateArguments arguments)
        {
            _error.GetStringBuilder().Clear();
            Assert.Equal(1, await RunAsync(arguments));
            Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_cannot_be_is_code_2()
    {
        await Wrong("There is no sensor 'x'", new() { Sensor = "x", Yes = true });
        await Wrong("no terminal", new() { Quantity = "no2", Zero = 0 });
        await Wrong("--level is for a sound calibrator", new() { Level = 94, Zero = 0, Yes = true });
        await Wrong("--level is for sound", new() { Level = 94, Quantity = "no2", Yes = true });
        await Wrong("--level 60", new() { Level = 60, Yes = true });
        await Wrong("--looks 2", new() { Looks = 2, Yes = true });
        await Wrong("--patience", new() { Patience = TimeSpan.FromSeconds(1), Yes = true });
        await Wrong("--by", new() { By = new string('x', 201), Yes = true });
        await Wrong("Give --zero", new() { Quantity = "no2", Yes = true });
        await Wrong("Say with --quantity which of no2", new() { Zero = 0, Yes = true });
        await Wrong("There is no quantity 'joy'", new() { Zero = 0, Quantity = "joy", Yes = true });
        await Wrong("no recorded calibration", new() { Undo = true, Yes = true });
        await Wrong("moves its own zero", new() { Sensor = "co2", Span = 400, Yes = true }, "\n  - { name: co2, kind: scd41, bus: { i2c: 1 } }");
        _time.SetUtcNow(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Empty(_journal.Read().Records);

        async Task Wrong(string expected, CalibrateArguments arguments, string more = "")
        {
            _error.GetStringBuilder().Clear();
            Assert.Equal(2, await RunAsync(arguments, null, more));
            Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_machine_that_wakes_in_1970_dates_no_calibration()
    {
        var past = new FakeTimeProvider(new DateTimeOffset(1970, 1, 1, 0, 5, 0, TimeSpan.Zero));
        var commands = new CalibrateCommands(Configuration(""), new CalibrateArguments { Quantity = "no2", Zero = 0, Yes = true }, _board, past, new CalibrateTalk(TextReader.Null, false, _output, _error));
        Assert.Equal(2, await commands.RunAsync(Cancel));
        Assert.Contains("1970", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_knows_the_verb()
    {
        Assert.Equal(0, await AgentCommands.InvokeAsync(["calibrate", "--help"], new Hashtable(), _output, _error, Cancel));
        Assert.All((string[])["--zero", "--span", "--level", "--undo", "--list", "--accept-drift", "unstable"], word => Assert.Contains(word, _output.ToString(), StringComparison.Ordinal));
        Configuration("");
        Assert.Equal(0, await AgentCommands.InvokeAsync(["calibrate", "--list", "--station-file", _folder.File("station.yaml")], new Hashtable(), _output, _error, Cancel));
        Assert.Contains("No calibration is recorded", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, await AgentCommands.InvokeAsync(["calibrate", "--span", "much", "--station-file", _folder.File("station.yaml")], new Hashtable(), _output, _error, Cancel));
        Assert.Contains("--span much: give a number", _error.ToString(), StringComparison.Ordinal);
    }

    private AgentConfiguration Configuration(string more)
    {
        File.WriteAllText(_folder.File("station.yaml"), """
            municipality: braga
            station: avenida
            sensors:
              - name: gas
                kind: alphasenseb4
                bus: { i2c: 1, address: "0x48" }
                alphasenseB4:
                  warmUp: 00:00:30
                  thermistor: { channel: 3 }
                  cells:
                    - { gas: no2, workingElectronicZero: 230, auxiliaryElectronicZero: 230, sensitivity: 0.25, factors: [1, 1, 1, 1, 1, 1, 1, 1, 1] }
            """ + more);
        return AgentConfiguration.Build(new AgentArguments { StationFile = _folder.File("station.yaml") }, new Hashtable(), _folder.Path);
    }

    private async Task<int> RunAsync(CalibrateArguments arguments, string? answers = null, string more = "")
    {
        var talk = new CalibrateTalk(new StringReader(answers ?? ""), answers is not null, _output, _error);
        var run = new CalibrateCommands(Configuration(more), arguments, _board, _time, talk).RunAsync(Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                if (!run.IsCompleted)
                {
                    // Not ahead of the instrument: patience and gas are counted in this time too.
                    _time.TryPass(TimeSpan.FromSeconds(1));
                }

                return run.IsCompleted;
            },
            "the walk ends",
            Eventually.Limit * 5);
        return await run;
    }
}
