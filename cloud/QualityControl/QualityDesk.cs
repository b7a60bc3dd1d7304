using System.Text.Json;
using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.QualityControl;

/// <summary>Keeps declarations, answers about findings, and tries checks without storing anything.</summary>
internal sealed class QualityDesk(
    IDbContextFactory<QualityContext> contexts,
    IMunicipalities municipalities,
    IStations stations,
    IStationHistory history,
    ISeries series,
    ParameterBook parameters,
    QualityRunner runner,
    TimeProvider time,
    ILogger<QualityDesk> log) : IQualityControl, IDisposable
{
    /// <summary>Declarations of one property in one municipality.</summary>
    public const int VersionsMax = 1_000;

    /// <summary>Days of datastreams of a dry run.</summary>
    public const int TrialDaysMax = 5_000;

    /// <summary>Longest stretch of a dry run, days.</summary>
    public const int TrialStretchMax = 366;

    /// <summary>Findings of each datastream that a dry run tells.</summary>
    private const int TrialFindingsMax = 100;

    private const int FindingsPageMax = 10_000;

    private readonly SemaphoreSlim _turn = new(1, 1);

    public IReadOnlyList<CheckDeclaration> Declarations(string municipality) => parameters.Declarations(municipality);

    public (CheckParameters Parameters, int Version) InForce(string municipality, string property, DateTime at)
    {
        var instant = Instants.Micros(at);
        var segment = parameters.Of(municipality, property).Within(instant, instant + 1)[0];
        return (segment.Parameters, segment.Version);
    }

    public async ValueTask<CheckDeclaration> DeclareAsync(string municipality, string property, DateTime? from, CheckParameters? checks, string by, CancellationToken cancellationToken)
    {
        ThrowIfNot(municipality, property, checks);
        if (from is { } date && (date.Kind != DateTimeKind.Utc || date.Ticks % TimeSpan.TicksPerMicrosecond != 0))
        {
            throw new ArgumentException("from is given in UTC, in whole microseconds.", nameof(from));
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var version = parameters.Of(municipality, property).Declarations.Select(declaration => declaration.Version).DefaultIfEmpty().Max() + 1;
            if (version > VersionsMax)
            {
                throw new ArgumentException($"The checks of \"{property}\" have been declared {VersionsMax} times; no more are taken.", nameof(property));
            }

            var row = new DeclarationRow
            {
                Municipality = municipality,
                Property = property,
                Version = version,
                From = from ?? Instants.Earliest,
                Parameters = checks is null ? null : JsonSerializer.Serialize(checks),
                By = by,
                At = Microseconds(time.GetUtcNow().UtcDateTime),
                Untaken = true,
            };
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            db.Declarations.Add(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            var declaration = row.ToDeclaration();
            parameters.Add([declaration]);
            log.Declared(municipality, property, version, declaration.From, by);
            runner.OnDeclared();
            return declaration;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask<IReadOnlyList<NumberedFinding>> FindingsAsync(FindingsQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.CountMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.CountMax, FindingsPageMax);
        var (from, to) = (query.From, query.To);
        var (firstDay, lastDay) = (Instants.Day(Instants.Micros(from)), Instants.Day(Instants.Micros(to)));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = db.Findings.AsNoTracking().Where(
            row => query.Datastreams.Contains(row.Datastream) && row.Day >= firstDay && row.Day <= lastDay && row.To > from && row.From < to && row.Id > query.After);
        if (query.Check is { } check)
        {
            rows = rows.Where(row => row.Check == check);
        }

        var page = await rows.OrderBy(row => row.Id).Take(query.CountMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        return page.ConvertAll(row => new NumberedFinding(row.Id, row.ToFinding()));
    }

    public async ValueTask<IReadOnlyList<QualityTrial>> TryAsync(
        string municipality, string property, string? station, DateTime from, DateTime to, CheckParameters? checks, CancellationToken cancellationToken)
    {
        ThrowIfNot(municipality, property, checks);
        if (from.Kind != DateTimeKind.Utc || to.Kind != DateTimeKind.Utc || from >= to || to - from > TimeSpan.FromDays(TrialStretchMax))
        {
            throw new ArgumentException($"from must be before to, both in UTC, and at most {TrialStretchMax} days.", nameof(from));
        }

        if (station is not null && !stations.TryGet(municipality, station, out _))
        {
            throw new ArgumentException($"There is no station \"{station}\" in \"{municipality}\".", nameof(station));
        }

        var places = new Neighbourhood(stations, history);
        await places.ReadAsync(cancellationToken).ConfigureAwait(false);
        var streams = places.Of(municipality, property).Where(stream => station is null || stream.Station.Slug == station).ToList();
        var (begin, end) = (Instants.Micros(from), Instants.Micros(to));
        var (firstDay, lastDay) = (Instants.Day(begin), Instants.Day(end - 1));
        if (streams.Count * (lastDay - firstDay + 1L) > TrialDaysMax)
        {
            throw new ArgumentException(
                $"{streams.Count} datastreams over {lastDay - firstDay + 1} days are more than {TrialDaysMax} days of datastreams: name a station, or try a shorter stretch.", nameof(to));
        }

        var source = new SeriesSource(series.Stored());
        var trials = streams.ToDictionary(stream => stream.Id, _ => new Trial());

        // Day by day, so that neighbours are read once for all.
        for (var day = firstDay; day <= lastDay; day++)
        {
            foreach (var stream in streams)
            {
                var (dayBegin, dayEnd) = (Math.Max(begin, Instants.Begin(day)), Math.Min(end, Instants.Begin(day + 1)));
                IReadOnlyList<ParameterSegment> segments = checks is null ? parameters.Of(municipality, property).Within(dayBegin, dayEnd) : [new ParameterSegment(dayBegin, dayEnd, 0, checks)];
                try
                {
                    var (findings, _, judged) = await DayJudge.JudgeAsync(places.On(stream, day), day, segments, source, cancellationToken).ConfigureAwait(false);
                    trials[stream.Id].Add(findings, judged);
                }
                catch (TooDenseException dense)
                {
                    throw new ArgumentException(dense.Message, nameof(from), dense);
                }
            }
        }

        return [.. streams.Select(stream => trials[stream.Id].Of(stream.Id))];
    }

    public Task CaughtUpAsync(CancellationToken cancellationToken) => runner.CaughtUpAsync(cancellationToken);

    public void Dispose() => _turn.Dispose();

    private static DateTime Microseconds(DateTime at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    private void ThrowIfNot(string municipality, string property, CheckParameters? checks)
    {
        if (!municipalities.TryGet(municipality, out _))
        {
            throw new ArgumentException($"There is no municipality \"{municipality}\".", nameof(municipality));
        }

        if (!QuantityCatalogue.TryGet(property, out _))
        {
            throw new ArgumentException($"There is no property \"{property}\".", nameof(property));
        }

        if (checks is null)
        {
            return;
        }

        ParameterCheck.ThrowIfNot(checks);
        if (checks.Drift is { } drift && !stations.TryGet(municipality, drift.Reference, out _))
        {
            throw new ArgumentException($"drift.reference is \"{drift.Reference}\", and there is no such station in \"{municipality}\".", nameof(checks));
        }
    }

    private sealed class Trial
    {
        private readonly Dictionary<QualityCheck, long> _flagged = [];
        private readonly List<Finding> _first = [];
        private long _judged;

        public void Add(List<Finding> findings, int judged)
        {
            _judged += judged;
            foreach (var finding in findings)
            {
                _flagged[finding.Check] = _flagged.GetValueOrDefault(finding.Check) + finding.Count;
                if (_first.Count < TrialFindingsMax)
                {
                    _first.Add(finding);
                }
            }
        }

        public QualityTrial Of(int datastream) => new(datastream, _judged, _flagged, _first);
    }
}
