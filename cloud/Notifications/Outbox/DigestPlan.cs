using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Notifications.Storage;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>A gathered delivery.</summary>
/// <param name="Id">Of the delivery, in the order they were queued.</param>
/// <param name="Gathering">Why it was gathered.</param>
/// <param name="Message">What it tells.</param>
internal sealed record Gathered(long Id, Gathering Gathering, AlarmMessage Message);

/// <summary>What becomes of one subscriber's gathered deliveries when they are due. Every one of them is in exactly one of the three.</summary>
/// <param name="Untold">Told by nothing: the alarm was withdrawn before anything was said of it.</param>
/// <param name="Merged">Told by the released message, or by the digest.</param>
/// <param name="Released">The one that goes out by itself after all; null for none.</param>
/// <param name="Digest">What the digest tells; null for none.</param>
internal sealed record DigestPlan(IReadOnlyList<long> Untold, IReadOnlyList<long> Merged, long? Released, DigestContent? Digest)
{
    /// <summary>Decides: of each alarm the latest message counts, for it says when the alarm began as well. What quiet hours held back about one alarm only goes out as an ordinary message. Pure.</summary>
    /// <param name="gathered">At least one, in the order they were queued.</param>
    /// <param name="told">Alarms of which the subscriber has been told something already.</param>
    public static DigestPlan Of(IReadOnlyList<Gathered> gathered, IReadOnlySet<string> told)
    {
        var alarms = gathered.GroupBy(one => one.Message.Alarm).ToList();
        var withdrawn = alarms.Where(alarm => alarm.Last().Message.Withdrawn && !told.Contains(alarm.Key)).SelectMany(alarm => alarm).Select(one => one.Id).ToHashSet();
        var left = alarms.Where(alarm => !withdrawn.Contains(alarm.First().Id)).ToList();
        List<long> untold = [.. withdrawn.Order()];
        if (left.Count == 0)
        {
            return new(untold, [], null, null);
        }

        var last = left[0].Last();
        if (left.Count == 1 && left[0].All(one => one.Gathering == Gathering.Quiet) && (left[0].Count() == 1 || last.Message.Kind is NotificationKind.Started or NotificationKind.Ended))
        {
            return new(untold, [.. left[0].Select(one => one.Id).Where(id => id != last.Id)], last.Id, null);
        }

        var messages = left.Select(alarm => alarm.Last()).OrderBy(one => one.Message.ConditionAt).ThenBy(one => one.Id).Select(one => one.Message).ToList();
        return new(untold, [.. left.SelectMany(alarm => alarm).Select(one => one.Id).Order()], null, new(messages.GetRange(0, Math.Min(messages.Count, DigestContent.MessageCountMax)), messages.Count));
    }

    /// <summary>Key of a digest: a function of the subscriber and of the keys of what it holds, so that the same digest made again is known as the same.</summary>
    public static string KeyOf(int subscriber, IEnumerable<string> keys) =>
        "digest:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{subscriber}\n{string.Join('\n', keys)}"))).AsSpan(0, 16));
}
