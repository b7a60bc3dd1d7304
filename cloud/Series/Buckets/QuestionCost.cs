namespace Hub.Cloud.Series;

/// <summary>What a question about buckets costs, in observations read: pure. Cells of rollups count too.</summary>
public static class QuestionCost
{
    /// <summary>
    /// Observations that cost as much as a cell. Measured (Embedded/Rollups/README.md), processor time against that of an observation of a minute's cadence: 2 over a year of one datastream, 6 over 30 days of one, 5 over a
    /// year of a hundred. So of a minute's cadence a day of cells of an hour is a twelfth of a day of observations; of readings rarer than each twelve minutes the cells count for more than what they stand for.
    /// </summary>
    public const int Cell = 5;

    /// <summary>Observations on a day of a datastream above which cells of a minute are kept of it.</summary>
    private const int MinutesWorthIt = 2_880;

    /// <summary>
    /// The most a question about one datastream reads: its observations, or where they cost more the cells that may answer instead (there are no more of them than observations). Which of the two it is depends on what is
    /// stored by then; the estimate does not.
    /// </summary>
    /// <param name="held">How much of the stretch can hold anything (<see cref="ISeries.HeldWithin"/>); zero or less when nothing does.</param>
    /// <param name="cadence">Time from one observation to the next, more than zero.</param>
    /// <param name="query">The question.</param>
    public static long Of(TimeSpan held, TimeSpan cadence, AggregateQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var observations = SeriesResolution.Rows(held, cadence, query.Every.Width, []);
        if (Rollups.Serving(query) is not { } cell || (cell == Rollups.Resolutions[0] && TimeSpan.FromDays(1) <= MinutesWorthIt * cadence))
        {
            return observations;
        }

        var cells = Math.Min(observations, SeriesResolution.Rows(held, cell, query.Every.Width, []));
        return Math.Max(observations, cells > long.MaxValue / Cell ? long.MaxValue : cells * Cell);
    }

    /// <exception cref="ArgumentException">One question about many datastreams costs more than allowed.</exception>
    internal static void ThrowIfTooMuch(long cost, long most)
    {
        if (cost > most)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"This reads about {cost} observations, a cell of a rollup counted as {Cell} ({SeriesOptions.Section}:QuestionRowsMax is {most}): ask for a shorter time or fewer datastreams."));
        }
    }
}
