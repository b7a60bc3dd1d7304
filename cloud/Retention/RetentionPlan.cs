namespace Hub.Cloud.Retention;

/// <summary>A datastream as retention sees it.</summary>
/// <param name="Id">Identifier in Series.</param>
/// <param name="Station">Slug of its station.</param>
/// <param name="Property">Its observed property.</param>
internal readonly record struct KeptStream(int Id, string Station, string Property);

/// <summary>A stretch of time, UTC: start inclusive, end exclusive.</summary>
internal readonly record struct Stretch(DateTime From, DateTime To);

/// <summary>What is deleted of some datastreams of one property that share policy and holds.</summary>
/// <param name="Property">Observed property.</param>
/// <param name="Before">End of what the policy gives up.</param>
/// <param name="Datastreams">Identifiers, ascending.</param>
/// <param name="Deleted">Stretches to delete, in order of time; none when holds cover it all.</param>
/// <param name="Held">Stretches a hold keeps, in order of time.</param>
internal sealed record Deletion(string Property, DateTime Before, IReadOnlyList<int> Datastreams, IReadOnlyList<Stretch> Deleted, IReadOnlyList<Stretch> Held)
{
    /// <summary>Stretches whose observations go and whose rollups are kept, in order of time; behind those deleted.</summary>
    public IReadOnlyList<Stretch> Condensed { get; init; } = [];

    /// <summary>End of what of the rollups the policy gives up; null where they go with the observations.</summary>
    public DateTime? RollupsBefore { get; init; }
}

/// <summary>Decides what is deleted: pure.</summary>
internal static class RetentionPlan
{
    /// <summary>Beginning of what is stored at all: nothing is older.</summary>
    public static readonly DateTime Beginning = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>Deletions of one municipality, in order of property.</summary>
    /// <param name="streams">Its datastreams.</param>
    /// <param name="policies">Its policies.</param>
    /// <param name="holds">Its holds in force.</param>
    /// <param name="now">UTC.</param>
    /// <param name="zone">Zone of its legal day.</param>
    public static IReadOnlyList<Deletion> Make(
        IEnumerable<KeptStream> streams, IReadOnlyList<RetentionPolicy> policies, IReadOnlyList<RetentionHold> holds, DateTime now, TimeZoneInfo zone)
    {
        var deletions = new List<Deletion>();
        foreach (var property in streams.GroupBy(stream => stream.Property).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var policy = policies.FirstOrDefault(p => p.Property == property.Key) ?? policies.FirstOrDefault(p => p.Property is null);
            if (policy?.Days is not { } days)
            {
                continue;
            }

            var before = DayBefore(now, days, zone);
            DateTime? rollupsBefore = policy.RollupDays is { } rollups ? DayBefore(now, rollups, zone) : null;
            foreach (var alike in property.GroupBy(stream => stream.Station).GroupBy(
                station => Merge(holds.Where(hold => (hold.Station is null || hold.Station == station.Key) && (hold.Property is null || hold.Property == property.Key)), before),
                StretchesComparer.Instance))
            {
                int[] ids = [.. alike.SelectMany(station => station).Select(stream => stream.Id).Order()];
                var free = Without(alike.Key, before);
                var deleted = rollupsBefore is { } end ? Cut(free, Beginning, end) : free;
                deletions.Add(new Deletion(property.Key, before, ids, deleted, alike.Key) { RollupsBefore = rollupsBefore, Condensed = rollupsBefore is { } from ? Cut(free, from, before) : [] });
            }
        }

        return deletions;
    }

    /// <summary>The beginning of the legal day that is a number of days before today's; found from offsets at instants alone, which are right in every zone.</summary>
    public static DateTime DayBefore(DateTime now, int days, TimeZoneInfo zone)
    {
        var today = (now + zone.GetUtcOffset(now)).Date;
        if ((today - DateTime.MinValue).Days <= days + 1)
        {
            return Beginning;
        }

        var wall = today.AddDays(-days);

        // The first instant at which the local clock shows that midnight or later; clocks change on whole minutes, and no zone is more than 14 h ahead.
        var instant = DateTime.SpecifyKind(wall.AddHours(-15), DateTimeKind.Utc);
        while (instant + zone.GetUtcOffset(instant) < wall)
        {
            instant = instant.AddMinutes(1);
        }

        return instant;
    }

    /// <summary>The stretches before an instant that the holds cover, in order, without overlap.</summary>
    private static List<Stretch> Merge(IEnumerable<RetentionHold> holds, DateTime before)
    {
        var merged = new List<Stretch>();
        foreach (var stretch in holds.Select(hold => new Stretch(hold.From ?? Beginning, hold.To is { } to && to < before ? to : before)).Where(s => s.From < s.To).OrderBy(s => s.From))
        {
            if (merged.Count > 0 && stretch.From <= merged[^1].To)
            {
                merged[^1] = merged[^1] with { To = stretch.To > merged[^1].To ? stretch.To : merged[^1].To };
            }
            else
            {
                merged.Add(stretch);
            }
        }

        return merged;
    }

    private static List<Stretch> Without(IReadOnlyList<Stretch> held, DateTime before)
    {
        var free = new List<Stretch>();
        var from = Beginning;
        foreach (var stretch in held)
        {
            if (from < stretch.From)
            {
                free.Add(new Stretch(from, stretch.From));
            }

            from = stretch.To;
        }

        if (from < before)
        {
            free.Add(new Stretch(from, before));
        }

        return free;
    }

    /// <summary>What lies in [from, to) of stretches.</summary>
    private static List<Stretch> Cut(IEnumerable<Stretch> stretches, DateTime from, DateTime to) =>
        [.. stretches.Select(stretch => new Stretch(stretch.From > from ? stretch.From : from, stretch.To < to ? stretch.To : to)).Where(static stretch => stretch.From < stretch.To)];

    private sealed class StretchesComparer : IEqualityComparer<List<Stretch>>
    {
        public static readonly StretchesComparer Instance = new();

        public bool Equals(List<Stretch>? x, List<Stretch>? y) => x!.SequenceEqual(y!);

        public int GetHashCode(List<Stretch> obj) => obj.Aggregate(0, HashCode.Combine);
    }
}
