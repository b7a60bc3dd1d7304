using System.Net;
using System.Net.Sockets;

namespace Hub.Cloud.Fleet.Claims;

/// <summary>
/// How often a claim may be tried: by one address (an IPv6 network of 64 bits counts as one), counting what failed, and by everybody together, counting all. Bounded: when more addresses
/// fail than it remembers, the further ones count as one. Safe for concurrent callers.
/// </summary>
internal sealed class ClaimGate(int failuresPerAddressMax, int perMinuteMax, TimeProvider time)
{
    /// <summary>Addresses remembered.</summary>
    public const int AddressesMax = 10_000;

    private static readonly TimeSpan AddressWindow = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan HubWindow = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, (DateTimeOffset Since, int Count)> failures = [];
    private (DateTimeOffset Since, int Count) all;

    /// <summary>True when one may be tried; it counts as failed until <see cref="Succeeded"/> is told otherwise.</summary>
    /// <param name="address">Where it comes from; null when unknown.</param>
    /// <param name="wait">When it may be tried again.</param>
    public bool TryEnter(IPAddress? address, out TimeSpan wait)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            all = now - all.Since >= HubWindow ? (now, 0) : all;
            if (all.Count >= perMinuteMax)
            {
                wait = all.Since + HubWindow - now;
                return false;
            }

            var key = KeyOf(address, now);
            var mine = failures.GetValueOrDefault(key);
            mine = now - mine.Since >= AddressWindow ? (now, 0) : mine;
            if (mine.Count >= failuresPerAddressMax)
            {
                wait = mine.Since + AddressWindow - now;
                return false;
            }

            all.Count++;
            failures[key] = (mine.Since, mine.Count + 1);
            wait = TimeSpan.Zero;
            return true;
        }
    }

    /// <summary>Takes back that the last one failed.</summary>
    public void Succeeded(IPAddress? address)
    {
        lock (gate)
        {
            var key = KeyOf(address, time.GetUtcNow());
            if (failures.TryGetValue(key, out var mine) && mine.Count > 0)
            {
                failures[key] = (mine.Since, mine.Count - 1);
            }
        }
    }

    private IPAddress KeyOf(IPAddress? address, DateTimeOffset now)
    {
        var key = Network(address ?? IPAddress.None);
        if (failures.ContainsKey(key) || failures.Count < AddressesMax)
        {
            return key;
        }

        foreach (var old in failures.Where(f => now - f.Value.Since >= AddressWindow).Select(f => f.Key).ToArray())
        {
            failures.Remove(old);
        }

        return failures.Count < AddressesMax ? key : IPAddress.None;
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
