using System.Globalization;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>What one question may hold in memory and send. Used by one question.</summary>
internal sealed class Budget(InfluxQlOptions options)
{
    private long held;
    private long rows;
    private long read;

    /// <summary>Points held until a figure can be made of them (median, percentile, stddev, mode, derivative of single values, rows of a question within a question).</summary>
    public void Hold(long points)
    {
        if ((held += points) > options.PointsHeldMax)
        {
            throw new RefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"the question would hold more than {options.PointsHeldMax} points in memory ({InfluxQlOptions.Section}:{nameof(options.PointsHeldMax)}): ask for a shorter time or fewer series, or use mean, min, max, first, last, sum or count"));
        }
    }

    /// <summary>Gives back what was held.</summary>
    public void Release(long points) => held -= points;

    /// <summary>Rows of the answer.</summary>
    public void Send(long count)
    {
        if ((rows += count) > options.PointsMax)
        {
            throw new RefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"the answer would have more than {options.PointsMax} rows ({InfluxQlOptions.Section}:{nameof(options.PointsMax)}): ask for a shorter time, GROUP BY a longer time(), or add a LIMIT"));
        }
    }

    /// <summary>A row was read; counted against what the question may cost, where the estimate was too low.</summary>
    public void Read()
    {
        if (++read > 2 * options.RowsReadMax)
        {
            throw TooMuch(read);
        }
    }

    /// <summary>Refuses what reads too much before anything is read.</summary>
    public void Demand(long estimate)
    {
        if (estimate > options.RowsReadMax)
        {
            throw TooMuch(estimate);
        }
    }

    private RefusedException TooMuch(long estimate) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"the question reads about {estimate} observations, {options.RowsReadMax} at once is the limit ({InfluxQlOptions.Section}:{nameof(options.RowsReadMax)}): ask for a shorter time or fewer stations in WHERE"));
}
