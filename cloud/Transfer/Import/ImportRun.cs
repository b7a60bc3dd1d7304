using System.Globalization;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Transfer.Import;

/// <summary>Runs an import: reads file after file, and while one batch is being committed already reads the next.</summary>
internal sealed class ImportRun(IStations stations, ISeries series, TimeProvider time)
{
    /// <summary>Rows between two looks at whether to stop, and two words on how far it is.</summary>
    private const int RowsPerStep = 4_096;

    private const int BatchObservationsMax = 200_000;

    /// <inheritdoc cref="ITransfer.ImportAsync"/>
    public async Task<ImportSummary> RunAsync(ImportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfZero(request.Files.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.BatchObservations, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.BatchObservations, BatchObservationsMax);
        if (request.Files.FirstOrDefault(file => !File.Exists(file)) is { } absent)
        {
            throw new TransferException(Directory.Exists(absent) ? $"{absent} is a folder: name the files in it." : $"There is no file {absent}.");
        }

        if (request.Files.Any(file => Path.GetFullPath(file) == Path.GetFullPath(request.ReportFile)))
        {
            throw new TransferException($"The report {request.ReportFile} would replace a file that is to be imported. Name another one with --report.");
        }

        var mapping = request.Mapping is null ? null : MappingReader.Read(request.Mapping);
        var place = new ImportPlace();
        var journal = request.DryRun ? ImportJournal.None : ImportJournal.Open(request, request.Mapping is null ? "" : await File.ReadAllTextAsync(request.Mapping, cancellationToken).ConfigureAwait(false), out place);

        // The mapping is checked against every file before the first value goes in.
        foreach (var file in request.Files.Skip(place.Files))
        {
            using var reader = Open(file, request, mapping, out var format, out var source);
            _ = new StampReader(source, format, reader);
            _ = source.Targets.Select((target, index) => new MappedTarget(index, target, source, reader)).ToList();
        }

        using var report = ImportReport.Open(request.ReportFile, place.Counts, place.ReportBytes);
        var run = new Run(request, mapping, place, report, journal, progress, new DatastreamFinder(stations, request.DryRun), series, time);
        return await run.AllAsync(cancellationToken).ConfigureAwait(false);
    }

    private static RowReader Open(string file, ImportRequest request, ImportMapping? mapping, out TransferFormat format, out MappingSource source)
    {
        var described = mapping is null ? null : MappingReader.SourceOf(mapping, request.Mapping!, file);
        format = MappingReader.FormatOf(file, request.Format, described);
        if (described is not null)
        {
            source = described;
            return format switch
            {
                TransferFormat.Csv => CsvReader.Open(file, described),
                TransferFormat.Parquet => ParquetReader.Open(file),
                _ => LineProtocolReader.Open(file),
            };
        }

        return OwnFormats.Open(file, format, out source);
    }

    private sealed class Run(
        ImportRequest request, ImportMapping? mapping, ImportPlace start, ImportReport report, ImportJournal journal, IProgress<TransferProgress>? progress, DatastreamFinder finder, ISeries series, TimeProvider time)
    {
        private readonly ImportCounts _counts = start.Counts;
        private readonly long[] _bytes = [.. request.Files.Select(file => Math.Max(1, new FileInfo(file).Length))];
        private ImportBatch _batch = new(request.BatchObservations);
        private ImportBatch _spare = new(request.BatchObservations);
        private Task _commit = Task.CompletedTask;
        private long _stored = start.Stored;
        private long _duplicate = start.Duplicate;
        private long _corrected = start.Corrected;

        public async Task<ImportSummary> AllAsync(CancellationToken cancellationToken)
        {
            var resumed = _counts.Rows;
            try
            {
                for (var file = start.Files; file < request.Files.Count; file++)
                {
                    await FileAsync(file, file == start.Files ? start : new ImportPlace(), cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                // Whatever happened, the commit under way ends before anybody is told.
                await ((Task)_commit.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)).ConfigureAwait(false);
            }

            await _commit.ConfigureAwait(false);
            report.Complete();
            journal.Complete();
            return new ImportSummary
            {
                Rows = _counts.Rows,
                RowsAside = _counts.RowsAside,
                Missing = _counts.Missing,
                LeftOut = _counts.LeftOut,
                Stored = _stored,
                Duplicate = _duplicate,
                Corrected = _corrected,
                Refused = _counts.RefusedBy.Values.Sum(),
                RefusedBy = _counts.RefusedBy,
                ReportRowsLeftOut = _counts.ReportRowsLeftOut,
                Datastreams = finder.Count,
                RowsResumed = resumed,
            };
        }

        private async Task FileAsync(int index, ImportPlace place, CancellationToken cancellationToken)
        {
            var path = request.Files[index];
            using var row = Open(path, request, mapping, out var format, out var source);
            var mapper = new RowMapper(Path.GetFileName(path), row, format, source, _counts, report, time);
            var rows = 0L;
            while (rows < place.Rows)
            {
                if (!row.Read())
                {
                    throw new TransferException($"{path} ends before the row an earlier import had reached. Was it changed in place? Touch it, and it is read from its beginning.");
                }

                rows++;
                if (rows % RowsPerStep == 0)
                {
                    Step(index, row, cancellationToken);
                }
            }

            while (row.Read())
            {
                while (mapper.Look() is { } unresolved)
                {
                    await ResolveAsync(unresolved, mapper, source, place.Clocks, path, cancellationToken).ConfigureAwait(false);
                }

                mapper.Take(_batch);
                rows++;
                if (rows % RowsPerStep == 0)
                {
                    mapper.RenewLatest();
                    Step(index, row, cancellationToken);
                }

                if (_batch.Count >= request.BatchObservations)
                {
                    await SubmitAsync(new ImportPlace { Files = index, Rows = rows, Clocks = mapper.Clocks() }, cancellationToken).ConfigureAwait(false);
                }
            }

            await SubmitAsync(new ImportPlace { Files = index + 1 }, cancellationToken).ConfigureAwait(false);
            Step(index, row, cancellationToken);
        }

        private async ValueTask ResolveAsync(Unresolved unresolved, RowMapper mapper, MappingSource source, Dictionary<string, long> clocks, string path, CancellationToken cancellationToken)
        {
            if (unresolved.Group is { } group)
            {
                await finder.FindAsync(group, unresolved.Slot, cancellationToken).ConfigureAwait(false);
                return;
            }

            unresolved.Target.Add(finder.Find(unresolved.Key, unresolved.Target, source, clocks.GetValueOrDefault(unresolved.Key, mapper.ClockStart)), path);
        }

        private async Task SubmitAsync(ImportPlace place, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            place.Counts = _counts.Copy();
            place.ReportBytes = report.Flush();
            await _commit.ConfigureAwait(false);
            _batch.Place = place;
            _commit = CommitAsync(_batch);
            (_batch, _spare) = (_spare, _batch);
            _batch.Clear();
        }

        private async Task CommitAsync(ImportBatch batch)
        {
            if (request.DryRun)
            {
                _stored += batch.Count;
            }
            else if (batch.Count > 0)
            {
                try
                {
                    // Never cancelled half way: what was submitted is noted.
                    Count((await series.AppendAsync(batch.Observations, CancellationToken.None).ConfigureAwait(false)).Outcomes);
                }
                catch (SeriesUnavailableException exception)
                {
                    throw new TransferException($"{exception.Message.TrimEnd('.')}. What was committed before is in; mend this and give the same command again: it goes on from there.", exception);
                }
            }

            (batch.Place.Stored, batch.Place.Duplicate, batch.Place.Corrected) = (_stored, _duplicate, _corrected);
            journal.Write(batch.Place);
        }

        private void Count(AppendOutcome[] outcomes)
        {
            foreach (var outcome in outcomes)
            {
                switch (outcome)
                {
                    case AppendOutcome.Stored:
                        _stored++;
                        break;
                    case AppendOutcome.Corrected:
                        _corrected++;
                        break;
                    default:
                        _duplicate++;
                        break;
                }
            }
        }

        private void Step(int index, RowReader row, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var share = (_bytes[..index].Sum() + (_bytes[index] * Math.Min(1, row.Share))) / _bytes.Sum();
            progress?.Report(new TransferProgress(
                request.Files.Count == 1 ? Path.GetFileName(request.Files[index]) : string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(request.Files[index])} ({index + 1} of {request.Files.Count})"), share, _counts.Rows));
        }
    }
}
