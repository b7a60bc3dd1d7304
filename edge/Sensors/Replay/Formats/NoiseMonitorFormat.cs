using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// Levels of the noisemonitor project: LAeq in dB(A), of minutes or of seconds; the heading has spaces around it and is one of the ways to write
/// "LEQ dB -A". The monitor's clock has no zone but runs through without a change, so it is taken as it is, its midnights included.
/// </summary>
internal sealed class NoiseMonitorFormat : ReplayFormat
{
    public override string Name => "noisemonitor";

    public override IReadOnlyList<string> Quantities { get; } = ["laeq"];

    public override IEnumerable<string> Failures(ReplaySensorOptions options, string key)
    {
        if (options.Period is null)
        {
            yield return $"{key}:Period is missing: 00:01:00 for a file of minutes, 00:00:01 for one of seconds.";
        }
    }

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        string[] headings = Headings(lines, name, options);
        return new TableLayout
        {
            TimeField = Field(headings, "datetime", name, lines.LineNumber),
            TimeFormats = ["yyyy-MM-dd HH:mm:ss"],
            Zone = TimeZoneInfo.Utc,
            Place = options.Zone is null ? TimeZoneInfo.Utc : ReplayZone.Find(options.Zone),
            Period = TimeSpan.FromMinutes(1),
            Columns = [new ColumnLayout(Field(headings, "LEQ dB -A", name, lines.LineNumber), "LEQ dB -A", "laeq")],
        };
    }
}
