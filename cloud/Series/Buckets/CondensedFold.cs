using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>Folds the observations of one UTC day of one datastream, given in order of time, into everything that is kept of them when they go. Used by one caller at a time; for one day after the other.</summary>
internal sealed class CondensedFold
{
    private readonly (TimeSpan Width, RollupFold All, List<RollupRow> Rows, RollupFold Unflagged, List<RollupRow> UnflaggedRows)[] _widths;
    private long _count;

    /// <param name="columns">Sums worth keeping.</param>
    public CondensedFold(RollupColumns columns) => _widths = [.. Rollups.Resolutions.Reverse().Select(width =>
    {
        var (rows, unflagged) = (new List<RollupRow>(), new List<RollupRow>());
        return (width, new RollupFold(width, columns, rows.Add), rows, new RollupFold(width, columns, unflagged.Add), unflagged);
    })];

    /// <summary>Takes the next observation.</summary>
    public void Add(in Observation row)
    {
        var micros = EventTime.Micros(row.PhenomenonTime);
        _count++;
        foreach (var (_, all, _, unflagged, _) in _widths)
        {
            all.Add(micros, row.Result, row.Quality, row.Coverage);
            if (row.Quality == Quality.Good)
            {
                unflagged.Add(micros, row.Result, row.Quality, row.Coverage);
            }
        }
    }

    /// <summary>What is kept of the day; the fold can then be used for another one. Call only after an observation.</summary>
    public CondensedDay Complete(int datastream, int day)
    {
        var cells = new List<CondensedCell>();
        foreach (var (width, all, rows, unflagged, unflaggedRows) in _widths)
        {
            all.Complete();
            unflagged.Complete();

            // Minutes where observations are about as few say nothing more; cells without a flag are what they are.
            if (width != Rollups.Resolutions[0] || _count >= RollupMonth.MinuteObservationsMin)
            {
                var flagged = rows.Where(static row => row.Quality != Quality.Good).Select(static row => row.Start).ToHashSet();
                cells.AddRange(rows.Select(row => CondensedCell.Of(row, width, withoutFlagged: false)));
                cells.AddRange(unflaggedRows.Where(row => flagged.Contains(row.Start)).Select(row => CondensedCell.Of(row, width, withoutFlagged: true)));
            }

            rows.Clear();
            unflaggedRows.Clear();
        }

        _count = 0;
        return new CondensedDay(datastream, EventTime.Time(day * EventTime.MicrosPerDay), cells);
    }
}
