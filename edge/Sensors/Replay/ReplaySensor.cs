using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Replay.Formats;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Replay;

/// <summary>
/// Delivers a publisher's rows shifted in time: what is over already as a backlog at the consumer's pace, the rest when its time comes, then the
/// file again, for ever. The file is read when the stream starts and held in flat arrays (a year of half hours in 16 quantities: 2.6 MB).
/// </summary>
internal sealed partial class ReplaySensor : ISensor
{
    /// <summary>Most measurements in one batch (one more row may go over it).</summary>
    public const int BatchCountMax = 400;

    // The wait for a row is cut into pieces so that a clock that was set is noticed.
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    private readonly string path;
    private readonly string fileName;
    private readonly ReplaySensorOptions options;
    private readonly ReplayOptions agent;
    private readonly ReplayFormat format;
    private readonly TimeProvider time;
    private readonly SensorsInstruments instruments;
    private readonly ILogger logger;

    public ReplaySensor(string name, ReplaySensorOptions options, ReplayOptions agent, TimeProvider time, SensorsInstruments instruments, ILogger logger)
    {
        Name = name;
        this.options = options;
        this.agent = agent;
        this.time = time;
        this.instruments = instruments;
        this.logger = logger;
        format = ReplayFormat.Find(options.Format)!;
        path = PathOf(options, agent);
        fileName = Path.GetFileName(path);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Full path of the file.</summary>
    public static string PathOf(ReplaySensorOptions options, ReplayOptions agent) => Path.GetFullPath(Path.Combine(agent.Folder ?? "", options.File));

    /// <inheritdoc/>
    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ReplayShift shift = await Task.Run(Load, cancellationToken).ConfigureAwait(false);
        ReplayPlace place = Begin(shift, cursor.Span);
        var batch = new List<Measurement>(BatchCountMax + 16);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long now = time.GetUtcNow().UtcTicks;
            long due = 0;
            int rows = 0;
            while (batch.Count < BatchCountMax && shift.Due(place) <= now)
            {
                due = shift.Due(place);
                Add(shift, place, batch);
                rows++;
                place = shift.Next(place);
            }

            if (rows > 0)
            {
                instruments.RowsReplayed(Name, rows);
                yield return new MeasurementBatch(batch.ToArray(), new ReplayCursor(shift.Fingerprint, place, due).ToBytes());
                batch.Clear();
                continue;
            }

            TimeSpan wait = new(Math.Min(shift.Due(place) - now, WaitMax.Ticks));
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ReplayShift Load()
    {
        ReplayTable table = format.Read(path, fileName, options);
        ReplayShift shift = ReplayShift.Create(table, options, agent, fileName);
        foreach (ReplayColumn column in table.Columns)
        {
            instruments.ValuesMissing(Name, column.Missing);
        }

        instruments.RowsLeftOut(Name, table.RowsNowhere + shift.RowsCut);
        LogLoaded(logger, Name, fileName, shift.Table.Count, table.RowsRead, table.Columns.Sum(column => column.Missing), table.RowsNowhere, shift.RowsCut, shift.Cycle.TotalDays);
        return shift;
    }

    private ReplayPlace Begin(ReplayShift shift, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return shift.First(options, agent);
        }

        if (!ReplayCursor.TryRead(bytes, out ReplayCursor cursor))
        {
            LogCursorUnreadable(logger, Name);
            return shift.First(options, agent);
        }

        if (cursor.Fingerprint == shift.Fingerprint && cursor.Next.Row < shift.Table.Count)
        {
            return cursor.Next;
        }

        LogChanged(logger, Name, new DateTime(cursor.Due, DateTimeKind.Utc));
        return shift.FirstAfter(cursor.Due);
    }

    private static void Add(ReplayShift shift, ReplayPlace place, List<Measurement> batch)
    {
        ReplayTable table = shift.Table;
        DateTime start = shift.Start(place);
        int width = table.Columns.Count;
        float coverage = table.Coverages?[place.Row] ?? float.NaN;
        for (int column = 0; column < width; column++)
        {
            double value = table.Values[(place.Row * width) + column];
            if (!double.IsNaN(value))
            {
                batch.Add(new Measurement(table.Columns[column].Property, value, start)
                {
                    Period = table.Period,
                    Quality = table.Qualities?[place.Row] ?? Quality.Good,
                    Coverage = float.IsNaN(coverage) ? null : Math.Round(coverage, 4),
                });
            }
        }
    }
}
