namespace Hub.Cloud.Series;

/// <summary>What every store shares in answering one question about many datastreams: the limit, and the way of those that have none of their own.</summary>
internal static class ManyDatastreams
{
    /// <summary>Datastreams of a question at most.</summary>
    public const int Max = 100_000;

    /// <summary>The datastreams in ascending order, each once.</summary>
    /// <exception cref="ArgumentException">There are more than <see cref="Max"/>.</exception>
    public static int[] Ascending(IReadOnlyCollection<int> datastreams)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        if (datastreams.Count > Max)
        {
            throw new ArgumentException(FormattableString.Invariant($"A question is about {Max} datastreams at most, not {datastreams.Count}: divide it."), nameof(datastreams));
        }

        int[] ascending = [.. datastreams];
        Array.Sort(ascending);
        var kept = 0;
        foreach (var datastream in ascending)
        {
            if (kept == 0 || ascending[kept - 1] != datastream)
            {
                ascending[kept++] = datastream;
            }
        }

        return ascending[..kept];
    }

    /// <summary>Asks for one datastream after the other.</summary>
    /// <param name="series">The store.</param>
    /// <param name="datastreams">In any order.</param>
    /// <param name="query">The question; its datastream does not matter.</param>
    /// <param name="bucketsMax">Buckets of the answer in all.</param>
    /// <param name="cancellationToken">Ends it between two datastreams too.</param>
    public static async ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> EachAsync(
        ISeries series, IReadOnlyCollection<int> datastreams, AggregateQuery query, int bucketsMax, CancellationToken cancellationToken)
    {
        // The question is checked also when it is about no datastream at all.
        _ = new BucketFold(query, bucketsMax);
        var answers = new Dictionary<int, IReadOnlyList<Bucket>>();
        long buckets = 0;
        foreach (var datastream in Ascending(datastreams))
        {
            var answer = await series.AggregateAsync(query with { Datastream = datastream }, cancellationToken).ConfigureAwait(false);
            buckets += answer.Count;
            ThrowIfTooMany(buckets, bucketsMax);
            if (answer.Count > 0)
            {
                answers.Add(datastream, answer);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        return answers;
    }

    /// <exception cref="ArgumentException">The answer is too long.</exception>
    public static void ThrowIfTooMany(long buckets, int bucketsMax)
    {
        if (buckets > bucketsMax)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"The answer has more than {bucketsMax} buckets in all ({SeriesOptions.Section}:BucketsMax): ask for wider buckets, a shorter time or fewer datastreams."));
        }
    }
}
