using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Ingest.Adapters;

/// <summary>
/// Remembers pushes without a time of their own for a minute: the same bytes of the same station again are the same push, sent again by something on the way because its
/// answer was lost, and keep the first arrival as their time. Then the store finds their readings to be duplicates. Bounded, in memory: across a restart of the hub, or
/// past a minute, a push sent again is a second reading of its own moment.
/// </summary>
internal sealed class PushMemory
{
    /// <summary>How long a push is remembered; less than stations wait between two of theirs.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    /// <summary>Most pushes remembered; past it the oldest are forgotten early.</summary>
    public const int PushesMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(int Station, string Adapter, Int128 Hash), DateTime> _first = [];
    private readonly Queue<((int Station, string Adapter, Int128 Hash) Key, DateTime At)> _order = new();

    /// <summary>When the push arrived first.</summary>
    public DateTime FirstArrival(int station, string adapter, in AdapterPush push)
    {
        var key = (station, adapter, HashOf(push));
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && (push.ReceivedAt - oldest.At >= Window || _order.Count > PushesMax))
            {
                _order.Dequeue();
                _first.Remove(oldest.Key);
            }

            if (_first.TryGetValue(key, out var first) && push.ReceivedAt >= first)
            {
                return first;
            }

            if (_first.TryAdd(key, push.ReceivedAt))
            {
                _order.Enqueue((key, push.ReceivedAt));
            }

            return push.ReceivedAt;
        }
    }

    private static Int128 HashOf(in AdapterPush push)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, value) in push.Context)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}={value}\n"));
        }

        hash.AppendData(push.Body.Span);
        return System.Buffers.Binary.BinaryPrimitives.ReadInt128LittleEndian(hash.GetHashAndReset());
    }
}
