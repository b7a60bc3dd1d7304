using System.Globalization;
using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Noise.Levels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary>What the command line says of a calibration; null where it says nothing.</summary>
internal sealed record CalibrateArguments
{
    /// <summary>Longest a point may take unless said otherwise.</summary>
    public static readonly TimeSpan PatienceDefault = TimeSpan.FromMinutes(15);

    public string? Sensor { get; init; }

    public string? Quantity { get; init; }

    /// <summary>Reference of the zero, canonical unit.</summary>
    public double? Zero { get; init; }

    /// <summary>Reference of the span, canonical unit.</summary>
    public double? Span { get; init; }

    /// <summary>Level of a sound calibrator, dB.</summary>
    public double? Level { get; init; }

    public string? Reference { get; init; }

    public double? Celsius { get; init; }

    public string? By { get; init; }

    public bool Yes { get; init; }

    public bool AcceptDrift { get; init; }

    public bool List { get; init; }

    public bool Undo { get; init; }

    public int? Looks { get; init; }

    public TimeSpan Patience { get; init; } = PatienceDefault;
}

/// <summary>Where the walk talks to a person.</summary>
/// <param name="Input">Answers, a line each.</param>
/// <param name="IsTerminal">False when nobody can answer.</param>
/// <param name="Output">Questions, progress, results.</param>
/// <param name="Error">What went wrong, a line each.</param>
internal sealed record CalibrateTalk(TextReader Input, bool IsTerminal, TextWriter Output, TextWriter Error);

/// <summary>The walk cannot go on: what to tell the person, and the exit code.</summary>
internal sealed class CalibrateException(string message, int code) : Exception(message)
{
    public int Code => code;
}

/// <summary>
/// <c>hub-agent calibrate</c>: walks a person, or a script, through zero and span or a sound calibrator, and records what came of it. It reads the sensor raw; nothing is stored but the calibration.
/// </summary>
internal sealed partial class CalibrateCommands(AgentConfiguration configuration, CalibrateArguments arguments, IBuses? buses, TimeProvider time, CalibrateTalk talk)
{
    /// <summary>Folder of the calibrations below the data folder.</summary>
    public const string FolderName = "calibrations";

    private const string SoundLevel = "laeq";
    private const double LevelMin = 80;
    private const double LevelMax = 130;
    private static readonly TimeSpan QuantitiesPatience = TimeSpan.FromMinutes(2);

    private readonly CalibrationJournal _journal = new(Path.Combine(configuration.Data, FolderName));

    /// <summary>Does what the arguments say.</summary>
    /// <returns>0 recorded (or listed), 1 refused, failed or called off, 2 a setting or argument is wrong.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Only the sensors of the station file, as they are: at the first calibration there may be no hub yet.
            var services = new ServiceCollection().AddLogging().AddSingleton(time).AddHubSensors(configuration.Configuration);
            services.AddOptions<CalibrationsOptions>().Bind(configuration.Configuration.GetSection(CalibrationsOptions.Section));
            await using var provider = services.BuildServiceProvider();
            var agent = provider.GetRequiredService<IOptions<SensorsOptions>>().Value;
            if (arguments.List)
            {
                return await ListAsync(agent, provider.GetRequiredService<IOptions<CalibrationsOptions>>().Value).ConfigureAwait(false);
            }

            var sensor = await SensorAsync(agent, cancellationToken).ConfigureAwait(false);
            if (time.GetUtcNow() < StationClock.Credible)
            {
                throw Wrong($"The clock of this machine says {time.GetUtcNow():yyyy-MM-dd}, and a calibration needs its date: wait for NTP, or set the clock.");
            }

            Check();
            if (arguments.Undo)
            {
                return await UndoAsync(sensor, cancellationToken).ConfigureAwait(false);
            }

            Suit(sensor);
            var factory = new SensorFactory(time, provider.GetRequiredService<ILoggerFactory>(), buses);
            if (sensor.Microphone is { } microphone)
            {
                microphone.EverySecond = true;
            }

            await using var instrument = SensorCommands.Make(factory, sensor, agent);
            await using var probe = new CalibrationProbe(instrument, time);
            return await WalkAsync(sensor, probe, cancellationToken).ConfigureAwait(false);
        }
        catch (CalibrateException refusal)
        {
            await talk.Error.WriteLineAsync($"hub-agent: {refusal.Message}").ConfigureAwait(false);
            return refusal.Code;
        }
        catch (SensorException failure)
        {
            await talk.Error.WriteLineAsync($"hub-agent: {failure.Message.ReplaceLineEndings(" ")} If the agent runs it may have the device: stop it first (systemctl stop hub-agent).").ConfigureAwait(false);
            return AgentCommands.Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await talk.Error.WriteLineAsync("hub-agent: called off; nothing is changed.").ConfigureAwait(false);
            return AgentCommands.Failed;
        }
    }

    private async Task<SensorOptions> SensorAsync(SensorsOptions agent, CancellationToken cancellationToken)
    {
        var name = arguments.Sensor;
        if (name is null && agent.Sensors.Count > 1 && talk.IsTerminal)
        {
            name = await AskAsync($"Which sensor ({string.Join(", ", agent.Sensors.Select(sensor => sensor.Name))})? ", cancellationToken).ConfigureAwait(false);
        }

        return SensorCommands.Find(agent, name) ?? throw Wrong(SensorCommands.NotFound(agent, name));
    }

    /// <summary>Arguments that cannot be, whatever the sensor.</summary>
    private void Check()
    {
        foreach (var (option, text) in new[] { ("--reference", arguments.Reference), ("--by", arguments.By) })
        {
            if (text is not null && (text.Length > CalibrationRecord.TextMax || text.Any(char.IsControl)))
            {
                throw Wrong($"{option}: give one line of at most {CalibrationRecord.TextMax} characters.");
            }
        }

        if (arguments.Looks is { } looks && (looks < CalibrationProbe.NeededMin || looks > CalibrationProbe.NeededMax))
        {
            throw Wrong($"--looks {looks}: give {CalibrationProbe.NeededMin} to {CalibrationProbe.NeededMax}.");
        }

        if (arguments.Patience < TimeSpan.FromSeconds(10) || arguments.Patience > TimeSpan.FromDays(1))
        {
            throw Wrong($"--patience {arguments.Patience}: give 00:00:10 to 1.00:00:00.");
        }

        if (arguments.Level is not null && (arguments.Zero is not null || arguments.Span is not null))
        {
            throw Wrong("--level is for a sound calibrator, --zero and --span are for everything else: give one or the other.");
        }

        if (arguments.Level is { } level && level is not (>= LevelMin and <= LevelMax))
        {
            throw Wrong(Text($"--level {level}: give the level of the calibrator in dB, {LevelMin} to {LevelMax}; most give 94 or 114."));
        }

        if (arguments.Undo && (arguments.Level ?? arguments.Zero ?? arguments.Span) is not null)
        {
            throw Wrong("--undo takes an earlier calibration back; it goes with no --zero, --span or --level.");
        }

        if (!talk.IsTerminal && !arguments.Yes)
        {
            throw Wrong("There is no terminal to ask questions at: give --sensor, --zero, --span or --level, and --yes.");
        }
    }

    /// <summary>Sensors that are not calibrated this way.</summary>
    private static void Suit(SensorOptions sensor)
    {
        if (sensor.Kind == SensorOptions.KindReplay)
        {
            throw Wrong($"{sensor.Name} replays a publisher's file: there is no instrument to calibrate.");
        }

        if (sensor.Kind == "scd41" && sensor.Scd41 is not { AutomaticCalibration: false })
        {
            // Not the part's own forced recalibration either: it would change the raw values, and nobody could recompute the ones before.
            throw Wrong($"{sensor.Name} moves its own zero every week and would move away under a calibration: set scd41.automaticCalibration to false in the station file first.");
        }
    }

    private async Task<int> WalkAsync(SensorOptions sensor, CalibrationProbe probe, CancellationToken cancellationToken)
    {
        var quantity = await QuantityAsync(sensor, probe, cancellationToken).ConfigureAwait(false);
        var entries = _journal.Read();
        var before = entries.InForce(sensor, quantity.Id);
        await talk.Output.WriteLineAsync(before.Version == 0
            ? $"{sensor.Name}/{quantity.Id} has no calibration yet."
            : Text($"{sensor.Name}/{quantity.Id} has calibration {before.Version}: gain {before.Gain:g6}, offset {before.Offset:g6} {Unit(quantity)}.")).ConfigureAwait(false);
        var draft = quantity.SenmlUnit == "dB"
            ? await AcousticAsync(sensor, quantity, before, probe, cancellationToken).ConfigureAwait(false)
            : await LinearAsync(sensor, quantity, before, probe, cancellationToken).ConfigureAwait(false);
        var reference = arguments.Reference ?? await AskOptionalAsync("What was the reference (certificate, cylinder, calibrator)? Enter for nothing: ", cancellationToken).ConfigureAwait(false);
        await RecordAsync(draft with { Reference = reference, Version = entries.VersionNext(sensor.Name, quantity.Id, before.Version) }, quantity, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    private async Task<Quantity> QuantityAsync(SensorOptions sensor, CalibrationProbe probe, CancellationToken cancellationToken)
    {
        if (sensor.Kind is SensorOptions.KindMicrophone or "dnms")
        {
            return arguments.Quantity is null or SoundLevel && QuantityCatalogue.TryGet(SoundLevel, out var level)
                ? level
                : throw Wrong($"All levels of {sensor.Name} are calibrated together: leave --quantity out.");
        }

        var id = arguments.Quantity;
        if (id is null)
        {
            var given = await probe.QuantitiesAsync(QuantitiesPatience, cancellationToken).ConfigureAwait(false);
            string[] suited = [.. given.Where(candidate => QuantityCatalogue.TryGet(candidate, out var known) && LinearCalibration.Suits(known))];
            id = suited.Length switch
            {
                0 => throw Wrong($"{sensor.Name} gives nothing that can be calibrated with a zero and a span{(given.Count > 0 ? $" ({string.Join(", ", given)})" : "")}."),
                1 => suited[0],
                _ when talk.IsTerminal => await AskAsync($"Which quantity ({string.Join(", ", suited)})? ", cancellationToken).ConfigureAwait(false),
                _ => throw Wrong($"Say with --quantity which of {string.Join(", ", suited)}."),
            };
        }

        return !QuantityCatalogue.TryGet(id, out var quantity) ? throw Wrong($"There is no quantity '{id}'.")
            : !LinearCalibration.Suits(quantity) ? throw Wrong($"{id} cannot be calibrated with a zero and a span.")
            : quantity;
    }

    private async Task<CalibrationRecord> AcousticAsync(SensorOptions sensor, Quantity quantity, CalibrationTerms before, CalibrationProbe probe, CancellationToken cancellationToken)
    {
        if ((arguments.Zero ?? arguments.Span) is not null)
        {
            throw Wrong($"{sensor.Name} measures sound: give --level, the level of the sound calibrator in dB.");
        }

        var level = arguments.Level ?? await NumberAsync("Level of the calibrator in dB (Enter for 94): ", 94, cancellationToken).ConfigureAwait(false);
        if (level is not (>= LevelMin and <= LevelMax))
        {
            throw Wrong(Text($"A calibrator of {level} dB is not believed: {LevelMin} to {LevelMax}."));
        }

        await ReadyAsync(Text($"Put the calibrator tightly on {sensor.Name}, switch {level:g4} dB at 1 kHz on, and press Enter. "), cancellationToken).ConfigureAwait(false);

        // A meter without a sensitivity of its own counts from 0.
        var sensitivity = sensor.Microphone?.Sensitivity;
        double? last = before.Since is not null ? (sensitivity ?? 0) - before.Offset : null;
        var measured = await probe.LevelAsync(level, sensitivity ?? 0, last, arguments.Patience, progress => Show(progress, quantity), cancellationToken).ConfigureAwait(false);
        var result = measured.Result;
        var drifted = result.Outcome == CalibrationOutcome.Drifted;
        switch (result.Outcome)
        {
            case CalibrationOutcome.TooShort:
                throw Refused((measured.Flags & Quality.Saturated) != 0
                    ? "too loud for the microphone: it saturates. Take the lower level of the calibrator."
                    : $"too short: fewer than {AcousticCalibration.LevelsMin} whole seconds of sound came in {arguments.Patience}.");
            case CalibrationOutcome.Unstable:
                throw Refused(Text($"unstable: the last {AcousticCalibration.LevelsMin} seconds are {result.Spread:0.00} dB apart, and {AcousticCalibration.SpreadMax} dB is allowed. Noise from outside, or the calibrator does not sit tight."));
            case CalibrationOutcome.OtherLevel:
                throw Refused(Text($"wrong level: the microphone hears {result.Level:0.0} dB, not {level:0.0}. The calibrator is probably set to its other level (94 or 114 dB)."));
            case CalibrationOutcome.TooFar:
                throw Refused(Text($"too far: the microphone hears {result.Level:0.0} dB, more than {AcousticCalibration.CorrectionMax} dB from {level:0.0}. The calibrator is off or does not sit, or microphone.sensitivity in the station file is another microphone's."));
        }

        var offset = level - result.Level;
        await talk.Output.WriteLineAsync(Text($"Heard {result.Level:0.00} dB for {level:0.00} dB: correction {offset:+0.00;-0.00;0.00} dB{(sensitivity is null ? "" : Text($", sensitivity {result.Sensitivity:0.00} dBFS at 94 dB"))}.")).ConfigureAwait(false);
        if (drifted)
        {
            await AcceptDriftAsync(Text($"drifted: {Math.Abs(result.Deviation!.Value):0.00} dB since the last calibration, and more than {AcousticCalibration.DriftMax} dB is a fault of the instrument"), cancellationToken).ConfigureAwait(false);
        }

        return Draft(sensor, quantity, CalibrationAct.Acoustic, [new CalibrationPoint(CalibrationAct.Acoustic, level, measured.Raw!)], before, 1, offset) with
        {
            SensitivityBefore = sensitivity,
            SensitivityAfter = sensitivity is null ? null : result.Sensitivity,
        };
    }

    private async Task<CalibrationRecord> LinearAsync(SensorOptions sensor, Quantity quantity, CalibrationTerms before, CalibrationProbe probe, CancellationToken cancellationToken)
    {
        if (arguments.Level is not null)
        {
            throw Wrong($"--level is for sound, and {sensor.Name} measures {quantity.Id}: give --zero or --span.");
        }

        var (zeroAt, spanAt) = (arguments.Zero, arguments.Span);
        if (zeroAt is null && spanAt is null)
        {
            if (!talk.IsTerminal)
            {
                throw Wrong("Give --zero, --span or both.");
            }

            zeroAt = await OptionalNumberAsync($"True value of the zero (the lower reference) in {Unit(quantity)}, Enter for none: ", cancellationToken).ConfigureAwait(false);
            spanAt = await OptionalNumberAsync($"True value of the span in {Unit(quantity)}, Enter for none: ", cancellationToken).ConfigureAwait(false);
            if (zeroAt is null && spanAt is null)
            {
                throw Refused("neither a zero nor a span: nothing to do.");
            }
        }

        CalibrationPoint? zero = null;
        CalibrationPoint? span = null;
        if (zeroAt is { } low)
        {
            zero = await PointAsync(sensor, quantity, CalibrationAct.Zero, low, null, probe, cancellationToken).ConfigureAwait(false);
        }

        if (spanAt is { } high)
        {
            // Where nobody presses Enter, the gas has been changed when the reading has moved half of the way.
            var raw = zero?.Raw.Mean;
            Func<double, bool>? begins = raw is null || !arguments.Yes ? null : value => Math.Abs(value - raw.Value) >= Math.Abs((high - zeroAt!.Value) / before.Gain) / 2;
            span = await PointAsync(sensor, quantity, CalibrationAct.Span, high, begins, probe, cancellationToken).ConfigureAwait(false);
        }

        var result = LinearCalibration.Solve(quantity, before, zero, span);
        if (result.Outcome == LinearOutcome.Refused)
        {
            throw Refused(result.Problem! + ".");
        }

        await talk.Output.WriteLineAsync(Text($"It was off by at most {result.Deviation:g4} {Unit(quantity)}. New: gain {result.Gain:g6}, offset {result.Offset:g6} {Unit(quantity)}.")).ConfigureAwait(false);
        if (result.Outcome == LinearOutcome.Drifted)
        {
            await AcceptDriftAsync("drifted: that is more than one expects between two calibrations. Check reference and instrument", cancellationToken).ConfigureAwait(false);
        }

        var act = zero is null ? CalibrationAct.Span : span is null ? CalibrationAct.Zero : CalibrationAct.TwoPoint;
        return Draft(sensor, quantity, act, [.. new[] { zero, span }.OfType<CalibrationPoint>()], before, result.Gain, result.Offset);
    }

    private async Task<CalibrationPoint> PointAsync(
        SensorOptions sensor, Quantity quantity, CalibrationAct act, double reference, Func<double, bool>? begins, CalibrationProbe probe, CancellationToken cancellationToken)
    {
        var name = act == CalibrationAct.Zero ? "Zero" : "Span";
        await ReadyAsync(Text($"{name}: bring {reference:g6} {Unit(quantity)} of {quantity.Id} to {sensor.Name}, and press Enter. "), cancellationToken).ConfigureAwait(false);
        await talk.Output.WriteLineAsync($"{name}: waiting until the reading stands still.").ConfigureAwait(false);
        var point = await probe.PointAsync(
            quantity, arguments.Looks ?? CalibrationProbe.NeededDefault, arguments.Patience, begins, progress => Show(progress, quantity), cancellationToken).ConfigureAwait(false);
        switch (point.Outcome)
        {
            case PointOutcome.NotGiven:
                throw Refused($"{sensor.Name} gave no {quantity.Id} in {arguments.Patience}.");
            case PointOutcome.Flagged:
                throw Refused($"no good value in {arguments.Patience}: the instrument says {point.Flags}. Wait for its warm-up, or give --patience.");
            case PointOutcome.TooShort:
                throw Refused($"too short: {point.Raw?.Count ?? 0} good values in {arguments.Patience}, and {arguments.Looks ?? CalibrationProbe.NeededDefault} are needed.");
            case PointOutcome.Unstable:
                throw Refused(Text($"unstable: the reading moved by {point.Drift:g3} {Unit(quantity)} over the last {point.Raw!.Count} values (spread {point.Raw.Spread:g3}), and {point.DriftMax:g3} is allowed. Let the reference flow for longer, or give --patience."));
        }

        var raw = point.Raw!;
        await talk.Output.WriteLineAsync(Text($"{name}: raw {raw.Mean:g6} {Unit(quantity)} (standard deviation {raw.Deviation:g3}, {raw.Count} values).")).ConfigureAwait(false);
        return new CalibrationPoint(act, reference, raw);
    }

    private async Task<int> UndoAsync(SensorOptions sensor, CancellationToken cancellationToken)
    {
        var entries = _journal.Read();
        var quantity = arguments.Quantity ?? (sensor.Kind is SensorOptions.KindMicrophone or "dnms" ? SoundLevel : null);
        string[] recorded = [.. entries.Records.Where(record => record.Sensor == sensor.Name).Select(record => record.Quantity).Distinct()];
        quantity ??= recorded.Length == 1 ? recorded[0] : throw Wrong(recorded.Length == 0 ? $"{sensor.Name} has no recorded calibration." : $"Say with --quantity which of {string.Join(", ", recorded)}.");
        if (!QuantityCatalogue.TryGet(quantity, out var known) || CalibrationHistory.Undoable(entries.Of(sensor.Name, quantity)) is not { } act)
        {
            throw Wrong($"{sensor.Name}/{quantity} has no recorded calibration that could be taken back.");
        }

        var inForce = entries.InForce(sensor, quantity);
        await talk.Output.WriteLineAsync(Text($"Takes back calibration {act.Version} ({Word(act.Act)}, {act.At:yyyy-MM-dd}): back to gain {act.Before.Gain:g6}, offset {act.Before.Offset:g6} {Unit(known)}.")).ConfigureAwait(false);
        await RecordAsync(
            CalibrationHistory.Undo(act, inForce, entries.VersionNext(sensor.Name, quantity, inForce.Version), time.GetUtcNow().UtcDateTime, By(), AgentHost.Version), known, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    private CalibrationRecord Draft(
        SensorOptions sensor, Quantity quantity, CalibrationAct act, IReadOnlyList<CalibrationPoint> points, CalibrationTerms before, double gain, double offset)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return new CalibrationRecord(
            sensor.Name, sensor.Kind, quantity.Id, quantity.SenmlUnit, 0, act, now, By(), null, arguments.Celsius, points, before, new CalibrationTerms(0, gain, offset, now), null, null, null, AgentHost.Version);
    }

    private async Task RecordAsync(CalibrationRecord draft, Quantity quantity, CancellationToken cancellationToken)
    {
        var record = draft with { After = draft.After with { Version = draft.Version } };
        if (!arguments.Yes)
        {
            var answer = await AskAsync($"Record this as calibration {record.Version} of {record.Sensor}/{record.Quantity} (yes or no)? ", cancellationToken).ConfigureAwait(false);
            if (!IsYes(answer))
            {
                throw Refused("not recorded; nothing is changed.");
            }
        }

        _journal.Append(record);
        await talk.Output.WriteLineAsync(Text(
            $"Recorded calibration {record.Version} of {record.Sensor}/{record.Quantity}: gain {record.After.Gain:g6}, offset {record.After.Offset:g6} {Unit(quantity)}. A running agent uses it within seconds, another one from its start.")).ConfigureAwait(false);
    }

    private async Task AcceptDriftAsync(string what, CancellationToken cancellationToken)
    {
        if (arguments.AcceptDrift || (talk.IsTerminal && !arguments.Yes && IsYes(await AskAsync($"It has {what}. Use it all the same (yes or no)? ", cancellationToken).ConfigureAwait(false))))
        {
            return;
        }

        throw Refused($"{what}. With --accept-drift it is used all the same.");
    }

    private string? By()
    {
        var name = arguments.By ?? Environment.GetEnvironmentVariable("SUDO_USER") ?? Environment.GetEnvironmentVariable("USER");
        return string.IsNullOrWhiteSpace(name) ? null : name;
    }

    private static CalibrateException Wrong(string message) => new(message, AgentCommands.Misconfigured);

    private static CalibrateException Refused(string message) => new(message, AgentCommands.Failed);

    private static bool IsYes(string answer) => answer.Trim() is "y" or "yes" or "Y" or "YES" or "Yes" or "s" or "sim";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Unit(Quantity quantity) => SensorCommands.Unit(quantity.SenmlUnit);
}
