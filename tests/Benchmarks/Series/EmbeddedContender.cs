using System.Globalization;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>Our store, opened by its front door with default settings and asked through <see cref="ISeries"/>: the same before and after its inside is replaced.</summary>
internal sealed class EmbeddedContender(CityWorkload workload, string? rollups = null) : Contender(workload)
{
    private static readonly BucketWidth Hour = new(TimeSpan.FromHours(1));

    // One bucket over any span asked for here, but for an edge of it that lies inside.
    private static readonly BucketWidth Whole = new(TimeSpan.FromDays(36_500));

    // Days after which no store waits for more readings of what was written; less than what any keeps.
    private static readonly TimeSpan Later = TimeSpan.FromDays(3);

    private readonly TempFolder _folder = new();
    private ServiceProvider? _services;
    private ISeries _series = null!;

    /// <inheritdoc/>
    public override string Name => "Hub, embedded";

    /// <inheritdoc/>
    public override bool IsDurable => true;

    /// <inheritdoc/>
    public override int SizePerRowMin => 1;

    /// <inheritdoc/>
    public override ProcessFigures Figures => ProcessFigures.Of(Environment.ProcessId);

    /// <inheritdoc/>
    public override long Bytes => FolderBytes(_folder.Path, file => Path.GetFileName(file) != "reserve");

    /// <inheritdoc/>
    public override long ReadingsBytes => BytesByFolder.Where(folder => folder.Key is "parts/observations" or "parts/history" or "log").Sum(folder => folder.Value);

    /// <summary>What <see cref="Bytes"/> are: by folder.</summary>
    public IReadOnlyDictionary<string, long> BytesByFolder => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(file) != "reserve")
        .GroupBy(file => Path.GetRelativePath(_folder.File("series"), Path.GetDirectoryName(file)!))
        .ToDictionary(files => files.Key, files => files.Sum(file => new FileInfo(file).Length));

    /// <summary>The same for people, in bytes of a reading, with the number of files.</summary>
    public string SizeText => string.Join(", ", BytesByFolder.OrderByDescending(folder => folder.Value).Select(folder => string.Create(
        CultureInfo.InvariantCulture, $"{folder.Key} {(double)folder.Value / Workload.Readings:0.000} ({Directory.GetFiles(Path.Combine(_folder.File("series"), folder.Key)).Length})")));

    /// <summary>The store.</summary>
    public ISeries Store => _series;

    /// <summary>The settings it was opened with.</summary>
    public IConfiguration Settings =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Data", _folder.Path), .. rollups is null ? [] : new KeyValuePair<string, string?>[] { new("Hub:Series:Rollups", rollups) }]).Build();

    /// <summary>Identifier of a datastream: series number from 1.</summary>
    public int Datastream(int station, int quantity) => Workload.Series(station, quantity) + 1;

    /// <inheritdoc/>
    public override Task OpenAsync() => OpenAsync(TimeSpan.Zero);

    /// <summary>Opens it with whole days of the workload in it, settled and rolled up, that did not pass the front door; says how far it is.</summary>
    /// <param name="workload">At its beginning.</param>
    /// <param name="say">Gets a line now and then.</param>
    public async Task OpenSettledAsync(CityWorkload workload, Action<string> say)
    {
        SettledDays.Write(_folder.File("series"), workload, series => series + 1);
        await OpenAsync(Later + Ahead);
        var resolutions = (rollups ?? "01:00:00").Split(',', StringSplitOptions.RemoveEmptyEntries).Length;
        var wanted = resolutions * Enumerable.Range(0, workload.Minutes / 1_440).Select(day => CityWorkload.Start.AddDays(day)).Select(day => (day.Year, day.Month)).Distinct().Count();
        var rolledUp = Path.Combine(_folder.File("series"), "parts", "rollups");
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var said = -1; await timer.WaitForNextTickAsync();)
        {
            var files = Directory.Exists(rolledUp) ? Directory.GetFiles(rolledUp, "*.parquet").Length : 0;
            if (files > said)
            {
                said = files;
                say(string.Create(CultureInfo.InvariantCulture, $"rolled up: {files} of {wanted} files"));
            }

            if (files >= wanted)
            {
                break;
            }
        }

        await SteadyAsync(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(8));
    }

    /// <inheritdoc/>
    public override Func<ReadOnlyMemory<Visit>, Task> Writer()
    {
        var observations = Array.Empty<Observation>();
        return async visits =>
        {
            if (observations.Length != visits.Length * CityWorkload.Quantities)
            {
                observations = new Observation[visits.Length * CityWorkload.Quantities];
            }

            Fill(visits.Span, observations);
            var receipt = await _series.AppendAsync(observations, CancellationToken.None);
            if (Array.Exists(receipt.Outcomes, outcome => outcome != AppendOutcome.Stored))
            {
                throw new InvalidOperationException("A reading was not new to the store.");
            }
        };
    }

    /// <inheritdoc/>
    public override async Task SettleAsync()
    {
        // A clean stop and a new start some days after the last reading leave nothing for later; what is still done in the background afterwards shows in the size.
        for (var before = long.MaxValue; Bytes < before;)
        {
            before = Bytes;
            await _services!.DisposeAsync();
            await OpenAsync(Later + Ahead);
            await SteadyAsync(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60));
        }

        // Rollups make the store larger again, a file after the other.
        await SteadyAsync(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(8));
    }

    /// <inheritdoc/>
    public override async Task<long> AskAsync(Question question)
    {
        switch (question.Kind)
        {
            case QuestionKind.LatestOfAll:
                long found = 0;
                for (var datastream = 1; datastream <= Workload.SeriesCount; datastream++)
                {
                    found += _series.TryGetLatest(datastream, out var latest) && latest.PhenomenonTime >= question.From ? 1 : 0;
                }

                return found;
            case QuestionKind.Range:
                long rows = 0;
                await foreach (var _ in _series.RangeAsync(Datastream(question.Station, 0), question.From, question.To, CancellationToken.None))
                {
                    rows++;
                }

                return rows;
            case QuestionKind.HourlyOfOne:
                return (await _series.AggregateAsync(new AggregateQuery(Datastream(question.Station, 0), question.From, question.To, Hour, Statistic.Mean), CancellationToken.None)).Count;
            case QuestionKind.HourlyOfMany:
                return (await EachAsync(question.Station, Many, question, Hour)).Values.Sum(buckets => buckets.Count);
            default:
                var means = await EachAsync(0, Workload.Stations, question, Whole);
                return means.Select(answer => (answer.Key, Mean(answer.Value).Mean)).OrderByDescending(pair => pair.Mean).Take(10).Count();
        }
    }

    /// <inheritdoc/>
    public override async Task<(long Count, double Mean)> CheckAsync(int station, DateTime from, DateTime to) =>
        Mean(await _series.AggregateAsync(new AggregateQuery(Datastream(station, 0), from, to, Whole, Statistic.Mean), CancellationToken.None));

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>How far the workload's end lies ahead of now.</summary>
    private TimeSpan Ahead => TimeProvider.System.GetUtcNow().UtcDateTime is var now && Workload.End > now ? Workload.End - now : TimeSpan.Zero;

    private async Task OpenAsync(TimeSpan later)
    {
        var configuration = Settings;
        _services = new ServiceCollection().AddLogging().AddMetrics().AddSingleton<TimeProvider>(new LaterTime(later)).AddSingleton<IDatastreamStatistics>(new Levels(Workload)).AddHubSeries(configuration).BuildServiceProvider();
        await _services.OpenSeriesAsync(CancellationToken.None);
        _series = _services.GetRequiredService<ISeries>();
    }

    private void Fill(ReadOnlySpan<Visit> visits, Span<Observation> observations)
    {
        var index = 0;
        foreach (ref readonly var visit in visits)
        {
            var time = DateTime.UnixEpoch.AddTicks(visit.Seconds * TimeSpan.TicksPerSecond);
            for (var quantity = 0; quantity < CityWorkload.Quantities; quantity++)
            {
                observations[index++] = new Observation(Datastream(visit.Station, quantity), time, visit[quantity], Quality.Good);
            }
        }
    }

    private async Task<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> EachAsync(int first, int count, Question question, BucketWidth every)
    {
        int[] datastreams = [.. Enumerable.Range(first, count).Select(station => Datastream(station % Workload.Stations, 0))];
        return await _series.AggregateManyAsync(datastreams, new AggregateQuery(datastreams[0], question.From, question.To, every, Statistic.Mean), CancellationToken.None);
    }

    private static (long Count, double Mean) Mean(IReadOnlyList<Bucket> buckets)
    {
        var count = buckets.Sum(bucket => bucket.Count);
        return (count, buckets.Sum(bucket => bucket.Value * bucket.Count) / count);
    }

    /// <summary>The third quantity of a station is a level.</summary>
    private sealed class Levels(CityWorkload workload) : IDatastreamStatistics
    {
        public Statistic? Of(int datastream) => (datastream - 1) / workload.Stations == 2 ? Statistic.EnergyMean : Statistic.Mean;
    }

    /// <summary>The system's clock, some days ahead.</summary>
    private sealed class LaterTime(TimeSpan later) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + later;
    }
}
