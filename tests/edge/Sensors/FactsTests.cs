using System.Globalization;
using Hub.Edge.Sensors.Replay;

namespace Hub.Edge.Sensors.Tests;

/// <summary>Every file read in whole gives the rows, values, missing values, extremes and means that were computed of it independently.</summary>
public sealed class FactsTests
{
    private static readonly Dictionary<string, (string Property, double Factor)> Ostluft = new()
    {
        ["CO"] = ("co", 1.1644), ["Hr"] = ("relative_humidity", 1), ["NO"] = ("no", 1.2474), ["NO2"] = ("no2", 1.9125), ["NOx"] = ("nox", 1.9125),
        ["O3"] = ("o3", 1.9953), ["p"] = ("pressure", 1), ["PM10"] = ("pm10", 1), ["PM2.5"] = ("pm2_5", 1), ["PN"] = ("particle_number", 1),
        ["SO2"] = ("so2", 2.6633), ["StrGlo"] = ("solar_radiation", 1), ["T"] = ("temperature", 1), ["WD"] = ("wind_direction", 1),
        ["WVv"] = ("wind_speed", 1), ["RainDur"] = ("rain_duration", 1),
    };

    private static readonly Dictionary<string, string> Telraam = new()
    {
        ["Pedestrian Total"] = "pedestrian_count", ["Bike Total"] = "bicycle_count", ["Car Total"] = "vehicle_count_car",
        ["Large vehicle Total"] = "vehicle_count_heavy", ["Night Total"] = "vehicle_count_unclassified", ["Speed V85 km/h"] = "v85",
    };

    public static TheoryData<string> Files => [.. Facts().Select(fact => fact.File).Distinct()];

    [Fact]
    public void Facts_cover_every_file_of_the_demonstration()
    {
        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(Demo.Folder, "data"), "*.gz").Select(file => Path.GetFileName(file));
        Assert.Equal(files.Order(StringComparer.Ordinal), Facts().Select(fact => fact.File).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Whole_file_agrees_with_its_facts(string file)
    {
        int checkedFacts = 0;
        foreach (Fact fact in Facts().Where(fact => fact.File == file))
        {
            (string format, string? series, string property, double factor) = Source(fact);
            ReplayTable table = Demo.Read(Demo.Options(format, file, series));
            bool unrepeated = fact.Series.EndsWith("without repeats", StringComparison.Ordinal);
            if (fact.Series == "Uptime")
            {
                // Shares above 1 are cut to 1 on the way in, so only what the cut leaves alone can be compared.
                Assert.Equal(fact.Values, table.Coverages!.Count(share => !float.IsNaN(share)));
                Assert.Equal(fact.Min, table.Coverages!.Min(), 1e-6);
                Assert.Equal(Math.Min(fact.Max, 1), table.Coverages!.Max(), 1e-6);
                Assert.All(table.Coverages!, share => Assert.InRange(share, 0, 1));
                checkedFacts++;
                continue;
            }

            int column = table.Columns.ToList().FindIndex(candidate => candidate.Property == property);
            var seen = new HashSet<long>();
            double[] values = [.. Enumerable.Range(0, table.Count)
                .Where(row => !unrepeated || seen.Add(table.Starts[row]))
                .Select(row => table.Values[(row * table.Columns.Count) + column] / factor)
                .Where(value => !double.IsNaN(value))];
            Assert.Equal(fact.Values, values.Length);
            Assert.Equal(fact.Min, values.Min(), 1e-6);
            Assert.Equal(fact.Max, values.Max(), 1e-6);
            double mean = fact.MeanKind == "energy" ? 10 * Math.Log10(values.Average(level => Math.Pow(10, level / 10))) : values.Average();
            Assert.Equal(fact.Mean, mean, 1e-4);
            if (!unrepeated)
            {
                Assert.Equal(fact.Rows, table.RowsRead);
                Assert.Equal(fact.Values, table.Columns[column].Values);
                Assert.Equal(fact.Missing, table.Columns[column].Missing);
            }

            checkedFacts++;
        }

        Assert.Equal(Facts().Count(fact => fact.File == file), checkedFacts);
    }

    private static (string Format, string? Series, string Property, double Factor) Source(Fact fact)
    {
        if (fact.File.StartsWith("Aarhus", StringComparison.Ordinal))
        {
            return ("citypulse", null, fact.Series.StartsWith("avgSpeed", StringComparison.Ordinal) ? "space_mean_speed" : "vehicle_count", 1);
        }

        if (fact.File.StartsWith("pm25", StringComparison.Ordinal))
        {
            return ("opensensemap", fact.Series, "pm2_5", 1);
        }

        if (fact.File.StartsWith("raw-data", StringComparison.Ordinal))
        {
            return ("telraam", null, Telraam.GetValueOrDefault(fact.Series, ""), 1);
        }

        if (fact.File.StartsWith("test_data", StringComparison.Ordinal))
        {
            return ("noisemonitor", null, "laeq", 1);
        }

        string[] parts = fact.Series.Split(' ');
        (string property, double factor) = Ostluft[parts[1]];
        return ("ostluft", parts[0], property, factor);
    }

    private static IEnumerable<Fact> Facts() => File.ReadLines(Path.Combine(AppContext.BaseDirectory, "facts.csv")).Skip(1).Select(line =>
    {
        // One series has a comma in its name and is quoted.
        int close = line.LastIndexOf('"');
        int open = line.IndexOf('"');
        string series = open < 0 ? line.Split(',')[1] : line[(open + 1)..close];
        string[] rest = (open < 0 ? line[(line.IndexOf(series, StringComparison.Ordinal) + series.Length + 1)..] : line[(close + 2)..]).Split(',');
        return new Fact(line.Split(',')[0], series, Whole(rest[1]), Whole(rest[2]), Whole(rest[3]), Number(rest[4]), Number(rest[5]), Number(rest[6]), rest[7].Split(' ')[0]);
    });

    private static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private sealed record Fact(string File, string Series, int Rows, int Values, int Missing, double Min, double Max, double Mean, string MeanKind);
}
