using System.Net;
using System.Net.Sockets;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>
/// How often one address of the internet may ask within an hour. Kept in memory only: who asked is nobody's business an hour later. Safe for concurrent callers.
/// </summary>
/// <param name="countMax">Most requests of one source in an hour.</param>
/// <param name="time">Clock.</param>
internal sealed class SourceLimit(int countMax, TimeProvider time)
{
    /// <summary>Sources remembered at most; past it the one that asked first is forgotten. What an address receives is limited by itself.</summary>
    public const int SourcesMax = 10_000;

    private static readonly TimeSpan Span = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, (DateTime Since, int Count)> sources = [];
    private readonly Queue<(IPAddress Source, DateTime Since)> order = new();

    /// <summary>Takes a request, unless the source has had its share of the hour that began with its first one.</summary>
    /// <param name="source">Where it came from; null (not known) shares one turn.</param>
    public bool TryEnter(IPAddress? source)
    {
        var key = KeyOf(source ?? IPAddress.None);
        var now = time.GetUtcNow().UtcDateTime;
        lock (gate)
        {
            while (order.TryPeek(out var oldest) && (now - oldest.Since >= Span || order.Count > SourcesMax))
            {
                order.Dequeue();
                if (sources.TryGetValue(oldest.Source, out var known) && known.Since == oldest.Since)
                {
                    sources.Remove(oldest.Source);
                }
            }

            if (!sources.TryGetValue(key, out var entry))
            {
                entry = (now, 0);
                order.Enqueue((key, now));
            }

            if (entry.Count >= countMax)
            {
                return false;
            }

            sources[key] = entry with { Count = entry.Count + 1 };
            return true;
        }
    }

    /// <summary>An IPv6 network is one household (/64), however many addresses it has.</summary>
    private static IPAddress KeyOf(IPAddress source)
    {
        if (source.IsIPv4MappedToIPv6 || source.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
        }

        Span<byte> bytes = stackalloc byte[16];
        source.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
