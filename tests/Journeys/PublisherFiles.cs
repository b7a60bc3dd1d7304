using System.Globalization;
using System.IO.Compression;
using System.Text;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys;

/// <summary>The publishers' files read by plain code of the tests' own, and the facts computed from them by others, to compare with what the API says.</summary>
internal static class PublisherFiles
{
    private static readonly string Folder = Path.Combine(Repository.Root, "firmware-config", "demo", "data");

    /// <summary>Ostluft's columns with the factor to the canonical unit: at 20 °C and 1013 hPa, as EU law has it.</summary>
    private static readonly (string Column, string Property, double Factor)[] Stampfenbach =
    [
        ("CO", "co", 1.1644), ("Hr", "relative_humidity", 1), ("NO", "no", 1.2474), ("NO2", "no2", 1.9125), ("NOx", "nox", 1.9125), ("O3", "o3", 1.9953),
        ("p", "pressure", 1), ("PM10", "pm10", 1), ("PM2.5", "pm2_5", 1), ("SO2", "so2", 2.6633), ("StrGlo", "solar_radiation", 1), ("T", "temperature", 1),
        ("WVv", "wind_speed", 1), ("RainDur", "rain_duration", 1),
    ];

    private static readonly (string Column, string Property)[] Telraam =
    [
        ("Pedestrian Total", "pedestrian_count"), ("Bike Total", "bicycle_count"), ("Car Total", "vehicle_count_car"), ("Large vehicle Total", "vehicle_count_heavy"),
        ("Speed V85 km/h", "v85"),
    ];

    /// <summary>One row of a file.</summary>
    public sealed record Row(DateTime Time, double Value);

    /// <summary>What facts.csv says of the series behind one datastream of the demonstration.</summary>
    public sealed record Fact(string Station, string Sensor, string Property, double Factor, int Values, double Min, double Max, double Mean, bool Energy, double? Sum)
    {
        /// <summary>
        /// Everything before the local midnight of the first start: with the whole history, every row of the file once. The minute levels straddle midnight, so the file's
        /// twelve days are counted back from there.
        /// </summary>
        public (DateTime From, DateTime To) Window(DateTime startedAt)
        {
            var midnight = LisbonMidnight(startedAt);
            return (Property == "laeq" ? midnight.AddDays(-12) : midnight.AddYears(-3), midnight);
        }

        /// <summary>Null when the rows agree, otherwise what does not.</summary>
        public string? Compare(IReadOnlyList<HubReader.Row> rows)
        {
            if (rows.Count != Values)
            {
                return $"{rows.Count} values instead of {Values}";
            }

            var results = rows.Select(r => r.Result).ToList();
            var mean = Energy ? 10 * Math.Log10(results.Average(l => Math.Pow(10, l / 10))) : results.Average();
            foreach (var (what, found, expected, tolerance) in ((string, double, double, double)[])
                [
                    // The facts give the mean with four decimals.
                    ("min", results.Min(), Min * Factor, 1e-9 * Math.Max(1, Math.Abs(Min))), ("max", results.Max(), Max * Factor, 1e-9 * Math.Max(1, Math.Abs(Max * Factor))),
                    ("mean", mean, Mean * Factor, 0.000051 * Factor), ("sum", results.Sum(), Sum ?? results.Sum(), 1e-6),
                ])
            {
                if (Math.Abs(found - expected) > tolerance)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"{what} {found} instead of {expected}");
                }
            }

            return null;
        }
    }

    /// <summary>The facts of every series of which the demonstration replays the whole file.</summary>
    public static IEnumerable<Fact> Facts()
    {
        var facts = File.ReadLines(Path.Combine(Repository.Root, "tests", "edge", "Sensors", "facts.csv")).Skip(1).Select(Cells)
            .ToDictionary(cells => (File: cells[0], Series: cells[1]));

        Fact Of(string file, string series, string station, string sensor, string property, double factor = 1)
        {
            var cells = facts[(file, series)];
            double Number(int index) => double.Parse(cells[index], CultureInfo.InvariantCulture);
            var sum = cells[9].IndexOf("sum=", StringComparison.Ordinal);
            return new Fact(
                station, sensor, property, factor, (int)Number(4), Number(6), Number(7), Number(8), cells[9] == "energy",
                sum < 0 ? null : double.Parse(cells[9][(sum + 4)..], CultureInfo.InvariantCulture));
        }

        foreach (var (column, property, factor) in Stampfenbach)
        {
            yield return Of("Zch_Stampfenbachstrasse_min30_2017.csv.gz", $"Zch_Stampfenbachstrasse {column}", "braga/avenida-da-liberdade", "air", property, factor);
            yield return Of("Zch_Stampfenbachstrasse_min30_2017.csv.gz", $"Zch_Stampfenbachstrasse {column}", "aveiro/universidade", "air", property, factor);
        }

        foreach (var (series, station) in ((string, string)[])
            [("StG_Blumenbergplatz", "braga/avenida-joao-xxi"), ("Zch_Rosengartenstrasse", "aveiro/a25-esgueira"), ("Zch_Schimmelstrasse", "aveiro/avenida-lourenco-peixinho"), ("Opf_Balsberg", "evora/portas-de-lagoa")])
        {
            yield return Of("ol_nox_covid19_2020.csv.gz", $"{series} NO2", station, "air", "no2", 1.9125);
            yield return Of("ol_nox_covid19_2020.csv.gz", $"{series} NOx", station, "air", "nox", 1.9125);
        }

        foreach (var (series, station) in ((string, string)[])
            [
                ("62b864331d75e2001c93e346", "braga/campus-de-gualtar"), ("6273edbea66ded001b7f4f9c", "braga/praca-da-republica"), ("5ea45ff9c2c39c001c5be108", "aveiro/rossio"),
                ("6398c664a7390d001b5e0744", "evora/praca-do-giraldo"), ("5fa5cae667d8a1001b1e3fea", "evora/universidade"),
            ])
        {
            yield return Of("pm25_berlin.csv.gz", series, station, "pm", "pm2_5");
        }

        foreach (var (segment, station) in ((string, string)[])
            [
                ("179364", "braga/avenida-joao-xxi"), ("158983", "braga/campus-de-gualtar"), ("158595", "aveiro/a25-esgueira"), ("192627", "aveiro/avenida-lourenco-peixinho"),
                ("179038", "evora/portas-de-lagoa"), ("181088", "evora/universidade"),
            ])
        {
            yield return Of($"AarhusTrafficData{segment}.csv.gz", "vehicleCount without repeats", station, "traffic", "vehicle_count");
            yield return Of($"AarhusTrafficData{segment}.csv.gz", "avgSpeed where vehicleCount > 0, without repeats", station, "traffic", "space_mean_speed");
        }

        foreach (var (column, property) in Telraam)
        {
            yield return Of("raw-data-2024East15.csv.gz", column, "braga/avenida-da-liberdade", "counter", property);
            yield return Of("raw-data-2024West15.csv.gz", column, "aveiro/avenida-lourenco-peixinho", "counter", property);
        }

        yield return Of("test_data_laeq1m.csv.gz", "LEQ dB -A", "aveiro/rossio", "noise", "laeq");
        yield return Of("test_data_laeq1m.csv.gz", "LEQ dB -A", "evora/praca-do-giraldo", "noise", "laeq");
    }

    /// <summary>Rows of one column of an Ostluft file, in the publisher's local time, missing ones left out.</summary>
    public static IEnumerable<Row> Ostluft(string file, string column)
    {
        var lines = Lines(file, Encoding.Latin1).ToList();
        var index = Array.IndexOf(lines[4].Split(';'), column);
        return lines.Skip(10).Select(line => line.Split(';')).Where(cells => cells.Length > index && cells[index].Length > 0)
            .Select(cells => new Row(DateTime.ParseExact(cells[0], "dd.MM.yyyy HH:mm", CultureInfo.InvariantCulture), double.Parse(cells[index], CultureInfo.InvariantCulture)));
    }

    /// <summary>The local midnight in Lisbon at or before an instant, UTC.</summary>
    public static DateTime LisbonMidnight(DateTime instant)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        var date = TimeZoneInfo.ConvertTimeFromUtc(instant, zone).Date;
        var guess = DateTime.SpecifyKind(date - zone.GetUtcOffset(instant), DateTimeKind.Utc);
        return DateTime.SpecifyKind(date - zone.GetUtcOffset(guess), DateTimeKind.Utc);
    }

    private static IEnumerable<string> Lines(string file, Encoding encoding)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress), encoding);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static string[] Cells(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(c);
            }
        }

        return [.. cells, cell.ToString()];
    }
}
