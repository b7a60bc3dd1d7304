using System.Security.Cryptography;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>A refused record, or pack, on its way into the quarantine.</summary>
/// <param name="Pack">How it arrived.</param>
/// <param name="Refusal">Why it cannot be taken.</param>
/// <param name="Payload">The bytes to keep, not yet cut.</param>
/// <param name="Pinned">True for a single record as a pack of its own, whose time no longer depends on the moment of arrival.</param>
internal sealed record QuarantineDraft(ArrivedPack Pack, Refusal Refusal, ReadOnlyMemory<byte> Payload, bool Pinned)
{
    /// <summary>Most bytes of a payload that are kept.</summary>
    public const int PayloadBytesMax = 64 * 1024;

    /// <summary>Longest reason text kept, characters.</summary>
    private const int DetailMax = 500;

    /// <summary>Limits shared by everything that claims to come from a station nobody registered.</summary>
    public const string UnknownPool = "";

    /// <summary>Whether every byte is kept.</summary>
    public bool Complete => Payload.Length <= PayloadBytesMax;

    public QuarantineRow ToRow() => new()
    {
        Municipality = Pack.Station.Municipality,
        Station = Pack.Station.Slug,
        Pool = PoolOf(Pack.Station),
        ReceivedAt = Pack.ReceivedAt,
        LastReceivedAt = Pack.ReceivedAt,
        Times = 1,
        Transport = Pack.Transport,
        Format = Pack.Format,
        RecordIndex = Refusal.RecordIndex,
        Reason = Refusal.Reason,
        Detail = Refusal.Detail.Length <= DetailMax ? Refusal.Detail : Refusal.Detail[..DetailMax],
        Payload = Complete ? Payload.ToArray() : Payload[..PayloadBytesMax].ToArray(),
        PayloadLength = Payload.Length,
        Pinned = Pinned,
        Hash = HashOf(),
    };

    public static string PoolOf(Station station) => station.Id == 0 ? UnknownPool : $"{station.Municipality}/{station.Slug}";

    /// <summary>
    /// The same bytes of the same station are the same entry however often they arrive: a sender whose acknowledgement was lost sends them again. A whole pack is kept
    /// once for each reason.
    /// </summary>
    private byte[] HashOf()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([(byte)(Pack.Format is { } format ? (int)format + 1 : 0), Pinned ? (byte)0 : (byte)(1 + (int)Refusal.Reason)]);
        hash.AppendData(Payload.Span);
        return hash.GetHashAndReset()[..16];
    }
}
