using System.Globalization;
using System.Text.Json;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>InfluxDB 1.6.7 over HTTP: whole answers read, none parsed.</summary>
internal sealed class InfluxContender(CityWorkload workload) : Contender(workload)
{
    private readonly InfluxServer _server = new();

    /// <inheritdoc/>
    public override string Name => "InfluxDB 1.6.7, HTTP";

    /// <inheritdoc/>
    public override bool IsDurable => true;

    /// <inheritdoc/>
    public override int SizePerRowMin => 4;

    /// <inheritdoc/>
    public override ProcessFigures Figures => _server.Figures;

    /// <summary>Without the series file, which has a fixed size.</summary>
    public override long Bytes => FolderBytes(_server.Folder, file => !file.Contains("/_series/", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override Task OpenAsync() => _server.StartAsync();

    /// <inheritdoc/>
    public override Func<ReadOnlyMemory<Visit>, Task> Writer() => new LineProtocol(_server.Client, "write?db=city&precision=s").WriteAsync;

    /// <inheritdoc/>
    public override Task SettleAsync() => SteadyAsync(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(120));

    /// <inheritdoc/>
    public override async Task<long> AskAsync(Question question)
    {
        var time = string.Create(CultureInfo.InvariantCulture, $"time >= '{question.From:yyyy-MM-ddTHH:mm:ssZ}' AND time < '{question.To:yyyy-MM-ddTHH:mm:ssZ}'");
        var station = $"station = '{CityWorkload.StationName(question.Station)}'";
        return (await _server.QueryAsync(question.Kind switch
        {
            QuestionKind.LatestOfAll => $"SELECT last(*) FROM city WHERE {time} GROUP BY station",
            QuestionKind.Range => $"SELECT pm2_5 FROM city WHERE {station} AND {time}",
            QuestionKind.HourlyOfOne => $"SELECT mean(pm2_5) FROM city WHERE {station} AND {time} GROUP BY time(1h)",
            QuestionKind.HourlyOfMany => $"SELECT mean(pm2_5) FROM city WHERE ({string.Join(" OR ", Enumerable.Range(0, Many).Select(i => $"station = '{CityWorkload.StationName((question.Station + i) % Workload.Stations)}'"))}) AND {time} GROUP BY time(1h), station",
            _ => $"SELECT top(mean, station, 10) FROM (SELECT mean(pm2_5) AS mean FROM city WHERE {time} GROUP BY station)",
        })).Length;
    }

    /// <inheritdoc/>
    public override async Task<(long Count, double Mean)> CheckAsync(int station, DateTime from, DateTime to)
    {
        using var answer = JsonDocument.Parse(await _server.QueryAsync(string.Create(
            CultureInfo.InvariantCulture, $"SELECT count(pm2_5), mean(pm2_5) FROM city WHERE station = '{CityWorkload.StationName(station)}' AND time >= '{from:yyyy-MM-ddTHH:mm:ssZ}' AND time < '{to:yyyy-MM-ddTHH:mm:ssZ}'")));
        var row = answer.RootElement.GetProperty("results")[0].GetProperty("series")[0].GetProperty("values")[0];
        return (row[1].GetInt64(), row[2].GetDouble());
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _server.DisposeAsync();
}
