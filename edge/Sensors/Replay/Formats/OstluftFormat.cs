using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// Ostluft, air monitoring of eastern Switzerland: latin-1, semicolons, 7 to 10 heading lines of which the first names the station of each
/// column and others its quantity and unit; half hours stamped at their start in winter time all year; gases in ppb and ppm.
/// </summary>
internal sealed class OstluftFormat : ReplayFormat
{
    private const int HeadingsMax = 20;

    private static readonly string[] Formats = ["dd.MM.yyyy HH:mm", "dd.MM.yyyy HH:mm:ss"];

    // From the publisher's quantity and unit to ours. Gases at 20 C and 1013 hPa, as EU law has it: molar mass / 24.055; NOx counts as NO2.
    private static readonly FrozenDictionary<(string Quantity, string Unit), (string Property, double Factor)> Known =
        new Dictionary<(string, string), (string, double)>
        {
            [("CO", "ppm")] = ("co", 1.1644),
            [("NO", "ppb")] = ("no", 1.2474),
            [("NO2", "ppb")] = ("no2", 1.9125),
            [("NOx", "ppb")] = ("nox", 1.9125),
            [("O3", "ppb")] = ("o3", 1.9953),
            [("SO2", "ppb")] = ("so2", 2.6633),
            [("PM10", "µg/m3")] = ("pm10", 1),
            [("PM2.5", "µg/m3")] = ("pm2_5", 1),
            [("PN", "1/cm3")] = ("particle_number", 1),
            [("T", "°C")] = ("temperature", 1),
            [("Hr", "%Hr")] = ("relative_humidity", 1),
            [("p", "hPa")] = ("pressure", 1),
            [("StrGlo", "W/m2")] = ("solar_radiation", 1),
            [("WD", "°")] = ("wind_direction", 1),
            [("WVv", "m/s")] = ("wind_speed", 1),
            [("RainDur", "min")] = ("rain_duration", 1),
        }.ToFrozenDictionary();

    private static readonly FrozenSet<string> Quantity = Known.Keys.Select(key => key.Quantity).ToFrozenSet();
    private static readonly FrozenSet<string> Unit = Known.Keys.Select(key => key.Unit).ToFrozenSet();

    public override string Name => "ostluft";

    public override IReadOnlyList<string> Quantities { get; } = [.. Known.Values.Select(value => value.Property)];

    public override Encoding Encoding(ReplaySensorOptions options) => System.Text.Encoding.Latin1;

    public override char Delimiter(ReplaySensorOptions options) => ';';

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        List<string[]> headings = Headings(lines, name);
        string[] stations = headings[0];
        string[] names = [.. stations.Skip(1).Where(station => station.Length > 0).Distinct()];
        string? series = options.Series ?? (names.Length == 1 ? names[0] : null);
        if (series is null || !names.Contains(series))
        {
            throw new SensorException($"{name}: 'series' must be one of its stations: {string.Join(", ", names)}.");
        }

        var columns = new List<ColumnLayout>();
        for (int field = 1; field < stations.Length; field++)
        {
            if (stations[field] != series)
            {
                continue;
            }

            string? quantity = First(headings, field, Quantity);
            string? unit = First(headings, field, Unit);
            if (quantity is null || unit is null || !Known.TryGetValue((quantity, unit), out (string Property, double Factor) known))
            {
                throw new SensorException($"{name}, heading of column {field + 1}: '{quantity ?? "no known quantity"}' in '{unit ?? "no known unit"}' is not something the format 'ostluft' can convert.");
            }

            columns.Add(new ColumnLayout(field, $"{series} {quantity}", known.Property, known.Factor));
        }

        return new TableLayout
        {
            TimeField = 0,
            TimeFormats = Formats,
            Zone = ReplayZone.Find("+01:00"),
            Place = ReplayZone.Find(options.Place ?? "Europe/Zurich"),
            Period = TimeSpan.FromMinutes(30),
            Columns = columns,
        };
    }

    private static List<string[]> Headings(LineReader lines, string name)
    {
        var headings = new List<string[]>();
        while (lines.TryRead(out ReadOnlySpan<char> line))
        {
            string[] cells = Cells(line, ';', name, lines.LineNumber);
            if (DateTime.TryParseExact(cells[0], Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                lines.Unread();
                break;
            }

            headings.Add(cells);
            if (headings.Count > HeadingsMax)
            {
                break;
            }
        }

        return headings.Count is > 0 and <= HeadingsMax && headings[0].Length > 1
            ? headings
            : throw new SensorException($"{name}: no headings of an Ostluft file were found in its first lines. Is 'format' the right one?");
    }

    private static string? First(List<string[]> headings, int field, FrozenSet<string> wanted) =>
        headings.Skip(1).Where(line => field < line.Length).Select(line => line[field]).FirstOrDefault(wanted.Contains);
}
