using System.Globalization;
using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// Telraam download: quarter hours in local time (the doubled autumn hour is told apart by the order of the rows), counts by mode, V85, and how
/// much of the quarter the counter saw, as text (<c>Good uptime - 1</c>). What the camera could not classify in the dark counts as
/// unclassified. Zone: Montréal, where the files carried here come from.
/// </summary>
internal sealed class TelraamFormat : ReplayFormat
{
    public override string Name => "telraam";

    public override IReadOnlyList<string> Quantities { get; } =
        ["pedestrian_count", "bicycle_count", "vehicle_count_car", "vehicle_count_heavy", "vehicle_count_unclassified", "v85"];

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        string[] headings = Headings(lines, name, options);
        int line = lines.LineNumber;
        TimeZoneInfo zone = ReplayZone.Find(options.Zone ?? "America/Toronto");
        return new TableLayout
        {
            TimeField = Field(headings, "Date and Time (Local)", name, line),
            TimeFormats = ["yyyy-MM-dd HH:mm"],
            Zone = zone,
            Place = options.Place is null ? zone : ReplayZone.Find(options.Place),
            Period = TimeSpan.FromMinutes(15),
            Coverage = (Field(headings, "Uptime", name, line), Uptime),
            Columns =
            [
                Column("Pedestrian Total", "pedestrian_count"),
                Column("Bike Total", "bicycle_count"),
                Column("Car Total", "vehicle_count_car"),
                Column("Large vehicle Total", "vehicle_count_heavy"),
                Column("Night Total", "vehicle_count_unclassified"),
                Column("Speed V85 km/h", "v85"),
            ],
        };

        ColumnLayout Column(string heading, string property) => new(Field(headings, heading, name, line), heading, property);
    }

    /// <summary><c>Good uptime - 0.98</c>, <c>Poor uptime - 0.25</c>.</summary>
    internal static bool Uptime(ReadOnlySpan<char> text, out double share, out bool poor)
    {
        const string Separator = " - ";
        poor = text.StartsWith("Poor", StringComparison.Ordinal);
        share = 0;
        int at = text.LastIndexOf(Separator);
        return at > 0 && double.TryParse(text[(at + Separator.Length)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share);
    }
}
