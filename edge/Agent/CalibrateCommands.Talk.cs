using System.Globalization;
using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;

namespace Hub.Edge.Agent;

/// <content>Questions, progress and the list.</content>
internal sealed partial class CalibrateCommands
{
    /// <summary>Prints every calibration there is, oldest first, with when it is due.</summary>
    private async Task<int> ListAsync(SensorsOptions agent, CalibrationsOptions options)
    {
        var entries = _journal.Read();
        var shown = entries.Records.Where(record => (arguments.Sensor is null || record.Sensor == arguments.Sensor) && (arguments.Quantity is null || record.Quantity == arguments.Quantity))
            .GroupBy(record => (record.Sensor, record.Quantity)).ToArray();
        foreach (var records in shown)
        {
            var sensor = agent.Sensors.FirstOrDefault(candidate => candidate.Name == records.Key.Sensor);
            var inForce = CalibrationHistory.InForce(records)!;
            var note = sensor is null ? " (no such sensor in the station file)" : entries.InForce(sensor, records.Key.Quantity).Version != inForce.Version ? " (not used: of another instrument)" : "";
            await talk.Output.WriteLineAsync($"{records.Key.Sensor}/{records.Key.Quantity}{note}").ConfigureAwait(false);
            foreach (var record in records)
            {
                await talk.Output.WriteLineAsync(Line(record)).ConfigureAwait(false);
            }

            if (sensor is not null && note.Length == 0 && inForce.After.Since is { } since && CalibrationIntervals.Of(sensor, options) is { } interval)
            {
                var due = since + interval;
                await talk.Output.WriteLineAsync(Text($"  next due {due:yyyy-MM-dd}{(time.GetUtcNow().UtcDateTime >= due ? ": values are flagged" : "")}")).ConfigureAwait(false);
            }
        }

        if (shown.Length == 0)
        {
            await talk.Output.WriteLineAsync("No calibration is recorded.").ConfigureAwait(false);
        }

        foreach (var damaged in entries.Damaged)
        {
            await talk.Error.WriteLineAsync($"hub-agent: {Path.Combine(_journal.Folder, damaged.File)}: {damaged.Problem} It is not used.").ConfigureAwait(false);
        }

        return 0;
    }

    private static string Line(CalibrationRecord record)
    {
        var points = string.Concat(record.Points.Select(point => Text($", {Word(point.Act)} {point.Reference:g6} read as {point.Raw.Mean:g6}")));
        var undone = record.Undoes is { } version ? Text($" of {version}") : "";
        return Text($"  {record.Version,4}  {record.At:yyyy-MM-dd HH:mm}Z  {Word(record.Act)}{undone}  gain {record.After.Gain:g6}, offset {record.After.Offset:g6} {SensorCommands.Unit(record.Unit)}{points}")
            + (record.SensitivityAfter is { } sensitivity ? Text($", sensitivity {sensitivity:0.00} dBFS") : "")
            + (record.Celsius is { } celsius ? Text($", at {celsius:g4} °C") : "")
            + (record.By is { } by ? $", by {by}" : "") + (record.Reference is { } reference ? $", {reference}" : "");
    }

    private static string Word(CalibrationAct act) => act switch
    {
        CalibrationAct.Zero => "zero",
        CalibrationAct.Span => "span",
        CalibrationAct.TwoPoint => "two-point",
        CalibrationAct.Acoustic => "acoustic",
        _ => "undo",
    };

    private void Show(ProbeProgress progress, Quantity quantity)
    {
        var state = progress.Flags != Quality.Good ? $"  ({progress.Flags}: does not count)"
            : double.IsNaN(progress.Drift) ? ""
            : Text($"  moves by {progress.Drift:g3}, {progress.DriftMax:g3} is allowed");
        talk.Output.WriteLine(Text($"  {progress.Count}/{progress.Needed}  {Math.Round(progress.Value, 3)} {Unit(quantity)}{state}"));
    }

    /// <summary>Asks a person; the answer is not empty.</summary>
    private async Task<string> AskAsync(string question, CancellationToken cancellationToken)
    {
        var answer = await AnswerAsync(question, cancellationToken).ConfigureAwait(false);
        return answer.Length > 0 ? answer : throw Refused("called off; nothing is changed.");
    }

    private async Task<string?> AskOptionalAsync(string question, CancellationToken cancellationToken)
    {
        if (!talk.IsTerminal || arguments.Yes)
        {
            return null;
        }

        var answer = await AnswerAsync(question, cancellationToken).ConfigureAwait(false);
        return answer.Length == 0 ? null : answer[..Math.Min(answer.Length, CalibrationRecord.TextMax)];
    }

    private async Task<double?> OptionalNumberAsync(string question, CancellationToken cancellationToken)
    {
        var answer = await AnswerAsync(question, cancellationToken).ConfigureAwait(false);
        return answer.Length == 0 ? null : Number(answer);
    }

    private async Task<double> NumberAsync(string question, double standard, CancellationToken cancellationToken)
    {
        if (!talk.IsTerminal)
        {
            throw Wrong("Give --level, the level of the sound calibrator in dB.");
        }

        var answer = await AnswerAsync(question, cancellationToken).ConfigureAwait(false);
        return answer.Length == 0 ? standard : Number(answer);
    }

    private async Task ReadyAsync(string question, CancellationToken cancellationToken)
    {
        if (talk.IsTerminal && !arguments.Yes)
        {
            await AnswerAsync(question, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<string> AnswerAsync(string question, CancellationToken cancellationToken)
    {
        await talk.Output.WriteAsync(question).ConfigureAwait(false);
        await talk.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        return (await talk.Input.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? throw Refused("the input ended; nothing is changed.")).Trim();
    }

    private static double Number(string text) =>
        double.TryParse(text.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : throw Refused($"'{text}' is no number; nothing is changed.");
}
