using System.Globalization;
using System.Text.Json;

namespace Hub.Tests.Journeys.Programs;

/// <summary>What anybody can read from a hub over its API.</summary>
public sealed class HubReader(HttpClient client)
{
    public sealed record Stream(int Id, string Municipality, string Station, string Sensor, string Property);

    public sealed record Row(DateTime Time, double Result, string Text);

    /// <summary>All datastreams an anonymous visitor sees.</summary>
    public async Task<IReadOnlyList<Stream>> DatastreamsAsync(string query = "")
    {
        using var document = JsonDocument.Parse(await client.GetStringAsync($"api/v1/datastreams?limit=1000&{query}"));
        return [.. document.RootElement.GetProperty("items").EnumerateArray().Select(item => new Stream(
            item.GetProperty("datastream").GetInt32(),
            item.GetProperty("municipality").GetString()!,
            item.GetProperty("station").GetString()!,
            item.GetProperty("sensor").GetString()!,
            item.GetProperty("property").GetString()!))];
    }

    /// <summary>How many observations of a datastream are stored.</summary>
    public async Task<long> CountAsync(int datastream)
    {
        using var document = JsonDocument.Parse(await client.GetStringAsync(
            $"api/v1/datastreams/{datastream}/observations?from=2016-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&every=P366D&stat=count"));
        return document.RootElement.GetProperty("observations").EnumerateArray().Sum(bucket => bucket.GetProperty("result").GetInt64());
    }

    /// <summary>All observations of a datastream in [from, to), as CSV gives them, following pages to the end.</summary>
    public async Task<IReadOnlyList<Row>> ObservationsAsync(int datastream, DateTime from, DateTime to)
    {
        const int Limit = 100_000;
        var rows = new List<Row>();
        while (true)
        {
            var text = await client.GetStringAsync(string.Create(
                CultureInfo.InvariantCulture, $"api/v1/datastreams/{datastream}/observations?from={from:yyyy-MM-ddTHH:mm:ss.ffffffZ}&to={to:yyyy-MM-ddTHH:mm:ss.ffffffZ}&limit={Limit}&format=csv"));
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            rows.AddRange(lines.Skip(1).Select(line =>
            {
                var cells = line.Split(',');
                return new Row(
                    DateTime.Parse(cells[0], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal),
                    double.Parse(cells[1], CultureInfo.InvariantCulture),
                    cells[1]);
            }));
            if (lines.Length - 1 < Limit)
            {
                return rows;
            }

            from = rows[^1].Time.AddTicks(10);
        }
    }

    /// <summary>Sum over the samples of a Prometheus counter whose name begins with <paramref name="name"/> and that carry all <paramref name="labels"/>.</summary>
    public async Task<double> CounterAsync(string name, params string[] labels)
    {
        var text = await client.GetStringAsync("metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
            .Sum(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is var parts && line.Contains('}', StringComparison.Ordinal) ? line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0] : parts[1], CultureInfo.InvariantCulture));
    }
}
