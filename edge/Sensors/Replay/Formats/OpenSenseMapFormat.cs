using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// openSenseMap export: a row per value of many sensors, newest first, UTC with milliseconds, each sensor at its own pace; spot values of
/// PM2.5. The unit column is not compared: the publisher writes "µg/m³" with either of two characters for "micro".
/// </summary>
internal sealed class OpenSenseMapFormat : ReplayFormat
{
    public override string Name => "opensensemap";

    public override IReadOnlyList<string> Quantities { get; } = ["pm2_5"];

    public override IEnumerable<string> Failures(ReplaySensorOptions options, string key)
    {
        if (string.IsNullOrEmpty(options.Series))
        {
            yield return $"{key}:Series is missing: give the sensorId of the rows to replay.";
        }
    }

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        string[] headings = Headings(lines, name, options);
        int line = lines.LineNumber;
        return new TableLayout
        {
            TimeField = Field(headings, "createdAt", name, line),
            TimeFormats = ["yyyy-MM-dd'T'HH:mm:ss.FFF'Z'"],
            Zone = TimeZoneInfo.Utc,
            Place = ReplayZone.Find(options.Place ?? "Europe/Berlin"),
            Period = TimeSpan.Zero,
            NewestFirst = true,
            Filter = (Field(headings, "sensorId", name, line), options.Series!),
            Columns = [new ColumnLayout(Field(headings, "value", name, line), options.Series!, "pm2_5")],
        };
    }
}
