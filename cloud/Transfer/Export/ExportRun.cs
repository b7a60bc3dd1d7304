using System.IO.Compression;
using DuckDB.NET.Data;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Transfer.Export;

/// <summary>Runs an export.</summary>
internal sealed class ExportRun(IStations stations, ISeries series)
{
    private const int RowsPerStep = 4_096;

    /// <inheritdoc cref="ITransfer.ExportAsync"/>
    public async Task<ExportSummary> RunAsync(ExportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.From >= request.To)
        {
            throw new TransferException("There is nothing from --from on before --to: --to is the end, exclusive.");
        }

        if (request.History && request.Format == TransferFormat.Lines)
        {
            throw new TransferException("Line protocol has one value for each time: export the history as csv or parquet.");
        }

        if (request.Rollups && (request.Format != TransferFormat.Csv || request.History))
        {
            throw new TransferException("Rollups are exported as csv, and have no history.");
        }

        var condensed = await series.CondensedAsync(request.From, request.To, cancellationToken).ConfigureAwait(false);
        var observed = request.Rollups ? [.. condensed.Keys] : await series.DatastreamsAsync(request.From, request.To, cancellationToken).ConfigureAwait(false);
        var wanted = Wanted(request, observed);
        var summary = await RunAsync(request, wanted, progress, cancellationToken).ConfigureAwait(false);
        return summary with { Condensed = Wanted(request, condensed.Keys).Datastreams.Sum(datastream => (long)condensed[datastream.Id]) };
    }

    private async Task<ExportSummary> RunAsync(ExportRequest request, (List<Datastream> Datastreams, int Nameless) wanted, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        if (request.Output is { } stream)
        {
            return request.Format == TransferFormat.Parquet
                ? throw new TransferException("Parquet needs a file: it is not written from its beginning to its end. Name one, or export csv.")
                : await WriteAsync(new CountingStream(stream), request, wanted, progress, cancellationToken).ConfigureAwait(false);
        }

        var part = request.Path + ".part";
        try
        {
            ExportSummary summary;
            if (request.Format == TransferFormat.Parquet)
            {
                File.Delete(part);
                using var sink = new ParquetSink(part);
                var rows = await WriteAsync(sink, request, wanted.Datastreams, progress, cancellationToken).ConfigureAwait(false);
                summary = new ExportSummary(rows, wanted.Datastreams.Count, wanted.Nameless, 0);
            }
            else
            {
                await using var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None);
                await using var content = request.Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Optimal) : (Stream)file;
                summary = await WriteAsync(new CountingStream(content), request, wanted, progress, cancellationToken).ConfigureAwait(false);
            }

            File.Move(part, request.Path, overwrite: true);
            return summary with { Bytes = new FileInfo(request.Path).Length };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DuckDBException)
        {
            throw new TransferException($"{request.Path} cannot be written ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Check the folder, its permissions and the free space.", exception);
        }
        finally
        {
            Remove(part);
        }
    }

    private static void Remove(string part)
    {
        try
        {
            File.Delete(part);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Why the export failed is what the user needs to know, and that is on its way.
        }
    }

    private (List<Datastream> Datastreams, int Nameless) Wanted(ExportRequest request, IEnumerable<int> ids)
    {
        var datastreams = new List<Datastream>();
        var nameless = 0;
        foreach (var id in ids)
        {
            if (!stations.TryGetDatastream(id, out var found))
            {
                nameless++;
            }
            else if ((request.Municipality ?? found.Station.Municipality) == found.Station.Municipality && (request.Station ?? found.Station.Slug) == found.Station.Slug
                && (request.Property ?? found.Quantity.Id) == found.Quantity.Id)
            {
                datastreams.Add(found);
            }
        }

        // By name, so that two hubs with the same observations write the same file.
        datastreams.Sort((a, b) =>
        {
            var order = string.CompareOrdinal(a.Station.Municipality, b.Station.Municipality);
            order = order != 0 ? order : string.CompareOrdinal(a.Station.Slug, b.Station.Slug);
            order = order != 0 ? order : string.CompareOrdinal(a.Sensor, b.Sensor);
            order = order != 0 ? order : string.CompareOrdinal(a.Quantity.Id, b.Quantity.Id);
            order = order != 0 ? order : a.Period.CompareTo(b.Period);
            return order != 0 ? order : a.Id.CompareTo(b.Id);
        });
        return (datastreams, nameless);
    }

    private async Task<ExportSummary> WriteAsync(
        CountingStream output, ExportRequest request, (List<Datastream> Datastreams, int Nameless) wanted, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        if (request.Rollups)
        {
            var cells = await WriteRollupsAsync(output, request, wanted.Datastreams, progress, cancellationToken).ConfigureAwait(false);
            return new ExportSummary(cells, wanted.Datastreams.Count, wanted.Nameless, output.Bytes);
        }

        using ObservationSink sink = request.Format == TransferFormat.Csv ? new CsvSink(output) : new LineSink(output);
        var rows = await WriteAsync(sink, request, wanted.Datastreams, progress, cancellationToken).ConfigureAwait(false);
        return new ExportSummary(rows, wanted.Datastreams.Count, wanted.Nameless, output.Bytes);
    }

    private async Task<long> WriteAsync(ObservationSink sink, ExportRequest request, List<Datastream> datastreams, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var rows = 0L;
        for (var index = 0; index < datastreams.Count; index++)
        {
            var datastream = datastreams[index];
            sink.Begin(datastream);
            var observations = request.History
                ? WithHistoryAsync(series, datastream.Id, request.From, request.To, cancellationToken)
                : series.RangeAsync(datastream.Id, request.From, request.To, cancellationToken);
            await foreach (var observation in observations.ConfigureAwait(false))
            {
                sink.Write(observation);
                if (++rows % RowsPerStep == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    progress?.Report(Step(datastream, index, datastreams.Count, rows));
                }
            }

            progress?.Report(Step(datastream, index + 1, datastreams.Count, rows));
        }

        sink.Complete();
        return rows;
    }

    private async Task<long> WriteRollupsAsync(Stream output, ExportRequest request, List<Datastream> datastreams, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        using var csv = new RollupCsv(output);
        var rows = 0L;
        for (var index = 0; index < datastreams.Count; index++)
        {
            await foreach (var day in series.CondensedDaysAsync([datastreams[index].Id], request.From, request.To, cancellationToken).ConfigureAwait(false))
            {
                csv.Write(datastreams[index], day);
                rows += day.Cells.Count;
                cancellationToken.ThrowIfCancellationRequested();
            }

            progress?.Report(Step(datastreams[index], index + 1, datastreams.Count, rows));
        }

        csv.Complete();
        return rows;
    }

    private static TransferProgress Step(Datastream datastream, int done, int all, long rows) =>
        new($"{datastream.Station.Municipality}/{datastream.Station.Slug}", (double)done / all, rows);

    /// <summary>Observations with the values that lost right behind each, in order of time.</summary>
    internal static async IAsyncEnumerable<Observation> WithHistoryAsync(
        ISeries series, int datastream, DateTime from, DateTime to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var losers = series.HistoryAsync(datastream, from, to, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var isMore = await losers.MoveNextAsync().ConfigureAwait(false);
        await foreach (var observation in series.RangeAsync(datastream, from, to, cancellationToken).ConfigureAwait(false))
        {
            yield return observation;
            while (isMore && losers.Current.PhenomenonTime <= observation.PhenomenonTime)
            {
                yield return losers.Current;
                isMore = await losers.MoveNextAsync().ConfigureAwait(false);
            }
        }

        for (; isMore; isMore = await losers.MoveNextAsync().ConfigureAwait(false))
        {
            yield return losers.Current;
        }
    }
}
