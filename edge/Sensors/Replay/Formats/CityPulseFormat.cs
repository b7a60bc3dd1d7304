using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// City of Aarhus through CityPulse: one road segment per file, 5 minutes, CRLF, UTC. Speed is the segment's length over the mean travel time
/// (rounded down), so it is a space mean; where no vehicle was counted, speed and travel time only repeat the last ones seen and do not count.
/// Rows delivered late and twice stay where the publisher had them.
/// </summary>
internal sealed class CityPulseFormat : ReplayFormat
{
    public override string Name => "citypulse";

    public override IReadOnlyList<string> Quantities { get; } = ["vehicle_count", "space_mean_speed", "travel_time"];

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        string[] headings = Headings(lines, name, options);
        int line = lines.LineNumber;
        int count = Field(headings, "vehicleCount", name, line);
        return new TableLayout
        {
            TimeField = Field(headings, "TIMESTAMP", name, line),
            TimeFormats = ["yyyy-MM-dd'T'HH:mm:ss"],
            Zone = TimeZoneInfo.Utc,
            Place = ReplayZone.Find(options.Place ?? "Europe/Copenhagen"),
            Period = TimeSpan.FromMinutes(5),
            Columns =
            [
                new ColumnLayout(count, "vehicleCount", "vehicle_count"),
                new ColumnLayout(Field(headings, "avgSpeed", name, line), "avgSpeed", "space_mean_speed", OnlyWhere: (count, 0)),
                new ColumnLayout(Field(headings, "avgMeasuredTime", name, line), "avgMeasuredTime", "travel_time", OnlyWhere: (count, 0)),
            ],
        };
    }
}
