using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>Parts of one day and kind that are to become one. Pure: what is merged when depends on the manifest, the clock and the settings alone.</summary>
/// <param name="Day">UTC day, days since 1970-01-01.</param>
/// <param name="Kind">Kind of the parts.</param>
/// <param name="Inputs">Two parts or more.</param>
/// <param name="IsUrgent">The day has so many more parts than it should that merging gives way to appends less than otherwise (<see cref="CompactionPace"/>).</param>
internal sealed record CompactionPlan(int Day, PartKind Kind, ImmutableArray<PartInfo> Inputs, bool IsUrgent = false)
{
    /// <summary>Parts of about the same size that make a merge worth it while a day still grows.</summary>
    public const int TierParts = 4;

    /// <summary>Most parts of a tier merged at once: each takes some 2 MiB while it is read.</summary>
    public const int TierPartsMax = 12;

    /// <summary>Largest over smallest size of a tier. So each row is rewritten a few times a day, not once for each part.</summary>
    public const int TierFactor = 8;

    /// <summary>Times the most parts a day should have, from which on merging is urgent: a burst is over before, and what it left is merged behind it; what goes on for hours is not.</summary>
    public const int UrgentFactor = 2;

    /// <summary>A settled day is merged into one part when nothing new came for this long.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    /// <summary>What to merge next; null when everything is as it should be for now.</summary>
    /// <param name="parts">All live parts.</param>
    /// <param name="now">Present time.</param>
    /// <param name="partsPerDayMax">More parts of one day and kind than this are merged before anything else.</param>
    /// <param name="settleAfter">A day that ended this long ago is settled.</param>
    public static CompactionPlan? Next(ImmutableArray<PartInfo> parts, DateTimeOffset now, int partsPerDayMax, TimeSpan settleAfter)
    {
        CompactionPlan? settled = null;
        CompactionPlan? tier = null;
        foreach (var group in parts.Where(static part => part.Kind is PartKind.Observations or PartKind.History).GroupBy(static part => (part.Day, part.Kind)))
        {
            ImmutableArray<PartInfo> all = [.. group];
            if (all.Length > partsPerDayMax)
            {
                // Some of about the same size, where there are any: all of a day that is being filled fast would be rewritten again and again.
                return new CompactionPlan(group.Key.Day, group.Key.Kind, Tier(all) ?? all, IsUrgent: all.Length > partsPerDayMax * UrgentFactor);
            }

            if (all.Length > 1 && tier is null)
            {
                tier = Tier(all) is { } inputs ? new CompactionPlan(group.Key.Day, group.Key.Kind, inputs) : null;
                settled ??= IsSettled(all, now, settleAfter) ? new CompactionPlan(group.Key.Day, group.Key.Kind, all) : null;
            }
        }

        return tier ?? settled;
    }

    private static ImmutableArray<PartInfo>? Tier(ImmutableArray<PartInfo> all)
    {
        var bySize = all.OrderBy(part => part.Summary.Bytes).ToArray();
        for (var first = 0; first + TierParts <= bySize.Length; first++)
        {
            var count = bySize.Skip(first).TakeWhile(part => part.Summary.Bytes <= bySize[first].Summary.Bytes * TierFactor).Count();
            if (count >= TierParts)
            {
                return [.. bySize[first..(first + Math.Min(count, TierPartsMax))]];
            }
        }

        return null;
    }

    private static bool IsSettled(ImmutableArray<PartInfo> all, DateTimeOffset now, TimeSpan settleAfter)
    {
        var end = EventTime.TimeClamped((all[0].Day + 1) * EventTime.MicrosPerDay);
        return now.UtcDateTime - end >= settleAfter && now - all.Max(part => part.Created) >= Quiet;
    }
}
