using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>A day whose rows stand in a file of rollups.</summary>
/// <param name="Day">UTC day, days since 1970-01-01.</param>
/// <param name="File">The part with observations that they were made of. Names are never used again.</param>
internal sealed record RollupSource(int Day, string File);

/// <summary>What the manifest says of a file of rollups besides what it says of every part.</summary>
/// <param name="Minutes">Width of the cells.</param>
/// <param name="Sources">Its days, ascending.</param>
internal sealed record RollupInfo(int Minutes, ImmutableArray<RollupSource> Sources);

/// <summary>
/// A file of rollups that is to be written anew: one UTC month at one resolution. Pure: what is written when depends on the manifest, the clock and the settings alone.
/// </summary>
/// <param name="Month">First day of the month.</param>
/// <param name="Minutes">Width of the cells.</param>
/// <param name="Old">The file as it is; null when there is none.</param>
/// <param name="Kept">Days whose rows are copied, with what they were made of.</param>
/// <param name="Fresh">Parts whose observations are folded.</param>
internal sealed record RollupPlan(int Month, int Minutes, PartInfo? Old, ImmutableArray<RollupSource> Kept, ImmutableArray<PartInfo> Fresh)
{
    /// <summary>Days folded at once: each holds a bundle in memory. A month that is made for the first time takes several rounds.</summary>
    public const int FreshMax = 4;

    /// <summary>The first day of the UTC month of a day.</summary>
    public static int MonthOf(int day)
    {
        var time = EventTime.TimeClamped(day * EventTime.MicrosPerDay);
        return day - time.Day + 1;
    }

    /// <summary>The first day of the next month.</summary>
    public static int MonthAfter(int month)
    {
        var time = EventTime.TimeClamped(month * EventTime.MicrosPerDay);
        return month + DateTime.DaysInMonth(time.Year, time.Month);
    }

    /// <summary>
    /// What to write next; null when everything is as it should be for now. A day is folded when it has settled in one part and nothing new came for a while; the newest month comes first. A month is
    /// not written anew for days that have changed and not settled: their rows do not count meanwhile.
    /// </summary>
    /// <param name="parts">All live parts.</param>
    /// <param name="resolutions">Resolutions to be kept.</param>
    /// <param name="now">Present time.</param>
    /// <param name="settleAfter">A day that ended this long ago is settled.</param>
    /// <param name="skip">Months to leave alone.</param>
    public static RollupPlan? Next(ImmutableArray<PartInfo> parts, ImmutableArray<TimeSpan> resolutions, DateTimeOffset now, TimeSpan settleAfter, IReadOnlySet<int> skip)
    {
        RollupPlan? best = null;
        foreach (var (month, minutes, old, days) in Months(parts, resolutions))
        {
            if (skip.Contains(month) || (best is not null && best.Month >= month))
            {
                continue;
            }

            var plan = Of(month, minutes, old, days, resolutions, part => IsReady(part, now, settleAfter));
            if (plan.Fresh.Length > 0 || (old is not null && (!resolutions.Contains(TimeSpan.FromMinutes(minutes)) || old.Rollup!.Sources.Any(source => !days.ContainsKey(source.Day)))))
            {
                best = plan;
            }
        }

        return best;
    }

    /// <summary>A file with rows made of a part that is no longer there; null when there is none. After a deletion its rows must go, whatever has settled.</summary>
    public static RollupPlan? Outdated(ImmutableArray<PartInfo> parts, ImmutableArray<TimeSpan> resolutions, DateTimeOffset now, TimeSpan settleAfter)
    {
        var live = parts.Where(part => part.Kind == PartKind.Observations).Select(part => part.File).ToHashSet(StringComparer.Ordinal);
        foreach (var (month, minutes, old, days) in Months(parts, resolutions))
        {
            if (old is not null && old.Rollup!.Sources.Any(source => !live.Contains(source.File)))
            {
                return Of(month, minutes, old, days, resolutions, part => IsReady(part, now, settleAfter));
            }
        }

        return null;
    }

    private static RollupPlan Of(int month, int minutes, PartInfo? old, Dictionary<int, List<PartInfo>> days, ImmutableArray<TimeSpan> resolutions, Func<PartInfo, bool> isReady)
    {
        if (!resolutions.Contains(TimeSpan.FromMinutes(minutes)))
        {
            return new RollupPlan(month, minutes, old, [], []);
        }

        var known = (old?.Rollup!.Sources ?? []).ToDictionary(source => source.Day, source => source.File);
        var kept = ImmutableArray.CreateBuilder<RollupSource>();
        var fresh = new List<PartInfo>();
        foreach (var (day, parts) in days)
        {
            if (parts is not [var only])
            {
                continue;
            }

            if (known.TryGetValue(day, out var file) && file == only.File)
            {
                kept.Add(new RollupSource(day, file));
            }
            else if (isReady(only))
            {
                fresh.Add(only);
            }
        }

        return new RollupPlan(month, minutes, old, [.. kept.OrderBy(source => source.Day)], [.. fresh.OrderByDescending(part => part.Day).Take(FreshMax).OrderBy(part => part.Day)]);
    }

    /// <summary>Every month and resolution that has something, or should.</summary>
    private static IEnumerable<(int Month, int Minutes, PartInfo? Old, Dictionary<int, List<PartInfo>> Days)> Months(ImmutableArray<PartInfo> parts, ImmutableArray<TimeSpan> resolutions)
    {
        var days = new Dictionary<int, Dictionary<int, List<PartInfo>>>();
        var files = new Dictionary<(int Month, int Minutes), PartInfo>();
        foreach (var part in parts)
        {
            if (part.Kind == PartKind.Rollups)
            {
                files[(part.Day, part.Rollup!.Minutes)] = part;
                days.TryAdd(part.Day, []);
            }
            else if (part.Kind == PartKind.Observations)
            {
                var month = MonthOf(part.Day);
                days.TryAdd(month, []);
                days[month].TryAdd(part.Day, []);
                days[month][part.Day].Add(part);
            }
        }

        foreach (var (month, inMonth) in days)
        {
            var minutes = resolutions.Select(resolution => (int)resolution.TotalMinutes).Union(files.Keys.Where(key => key.Month == month).Select(key => key.Minutes));
            foreach (var one in minutes)
            {
                yield return (month, one, files.GetValueOrDefault((month, one)), inMonth);
            }
        }
    }

    private static bool IsReady(PartInfo part, DateTimeOffset now, TimeSpan settleAfter) =>
        now.UtcDateTime - EventTime.TimeClamped((part.Day + 1) * EventTime.MicrosPerDay) >= settleAfter && now - part.Created >= CompactionPlan.Quiet;
}
