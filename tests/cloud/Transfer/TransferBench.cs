using System.IO.Compression;
using System.Text;
using Hub.Cloud.Series;
using Hub.Cloud.Transfer.Export;
using Hub.Cloud.Transfer.Import;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>A folder, stations, a store in memory and a clock that stands at noon of 2026-11-26: what a transfer needs.</summary>
internal sealed class TransferBench : IDisposable
{
    private readonly TempFolder _folder = new();

    public TransferBench(params string[] stations)
    {
        Stations = FakeStations.With(stations.Length == 0 ? ["braga/rotunda", "evora/rossio"] : stations);
    }

    public FakeStations Stations { get; }

    public MemorySeries Series { get; private set; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));

    public string ReportFile => _folder.File("report.csv");

    public string Folder => _folder.Path;

    /// <summary>A store without anything, beside the old stations.</summary>
    public void RenewSeries()
    {
        Series.Dispose();
        Series = new MemorySeries();
    }

    public string Write(string name, string text, Encoding? encoding = null)
    {
        var path = _folder.File(name);
        var bytes = (encoding ?? new UTF8Encoding(false)).GetBytes(text);
        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
            gzip.Write(bytes);
        }
        else
        {
            File.WriteAllBytes(path, bytes);
        }

        return path;
    }

    public ImportRequest Request(string? mapping, params string[] files) => new()
    {
        Files = files,
        Mapping = mapping is null ? null : Write("mapping.yaml", mapping),
        ReportFile = ReportFile,
        ProgressFolder = _folder.File("progress"),
    };

    public Task<ImportSummary> ImportAsync(ImportRequest request, CancellationToken? stop = null, IProgress<TransferProgress>? progress = null) =>
        new ImportRun(Stations, Series, Time).RunAsync(request, progress, stop ?? TestContext.Current.CancellationToken);

    public Task<ImportSummary> ImportAsync(string? mapping, params string[] files) => ImportAsync(Request(mapping, files));

    public Task<ExportSummary> ExportAsync(ExportRequest request) => new ExportRun(Stations, Series).RunAsync(request, null, TestContext.Current.CancellationToken);

    /// <summary>An export of everything.</summary>
    public static ExportRequest All(string path, TransferFormat format, bool history = false) => new()
    {
        From = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc),
        To = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc),
        Path = path,
        Format = format,
        History = history,
    };

    /// <summary>The rows of the report, without its heading.</summary>
    public string[] Report() => File.Exists(ReportFile) ? File.ReadAllLines(ReportFile)[1..] : [];

    public async Task<List<Observation>> AllOfAsync(int datastream)
    {
        var all = new List<Observation>();
        await foreach (var observation in Series.RangeAsync(datastream, DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), CancellationToken.None))
        {
            all.Add(observation);
        }

        return all;
    }

    /// <summary>Everything of one datastream found by its names, as time and result.</summary>
    public async Task<List<(DateTime Time, double Result)>> ValuesAsync(string station, string sensor, string property, int period) =>
        Stations.Find(station, sensor, property, period) is { } datastream ? [.. (await AllOfAsync(datastream.Id)).Select(o => (o.PhenomenonTime, o.Result))] : [];

    public void Dispose()
    {
        Series.Dispose();
        _folder.Dispose();
    }
}
