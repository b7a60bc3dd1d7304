using System.Text.Json;

namespace Hub.Tests.Dashboards;

/// <summary>Asks InfluxQL as Grafana's data source does: a POST of a form with q, db and epoch.</summary>
public sealed class InfluxClient(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address };

    public Uri Address => address;

    /// <summary>One row of a series, with the series' tags.</summary>
    public sealed record Row(IReadOnlyDictionary<string, string> Tags, IReadOnlyDictionary<string, JsonElement> Cells);

    /// <summary>The rows of all series of the answer.</summary>
    /// <exception cref="InvalidOperationException">The server refused the question; the message is what it says.</exception>
    public async Task<IReadOnlyList<Row>> AskAsync(string influxQl)
    {
        using var answer = await _http.PostAsync(new Uri(address, "query?db=hub&epoch=ms"), new FormUrlEncodedContent([KeyValuePair.Create("q", influxQl)]));
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{(int)answer.StatusCode} {text}");
        }

        var rows = new List<Row>();
        foreach (var result in JsonElement.Parse(text).GetProperty("results").EnumerateArray())
        {
            if (result.TryGetProperty("error", out var error))
            {
                throw new InvalidOperationException(error.GetString());
            }

            foreach (var series in result.TryGetProperty("series", out var all) ? all.EnumerateArray() : [])
            {
                var tags = series.TryGetProperty("tags", out var given) ? given.EnumerateObject().ToDictionary(tag => tag.Name, tag => tag.Value.GetString()!) : [];
                string[] columns = [.. series.GetProperty("columns").EnumerateArray().Select(column => column.GetString()!)];
                rows.AddRange(series.GetProperty("values").EnumerateArray().Select(row => new Row(tags, columns.Zip(row.EnumerateArray()).ToDictionary(cell => cell.First, cell => cell.Second))));
            }
        }

        return rows;
    }

    public void Dispose() => _http.Dispose();
}
