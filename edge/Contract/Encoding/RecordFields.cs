using System.Runtime.CompilerServices;

namespace Hub.Edge.Contract.Encoding;

/// <summary>A piece of the payload, or of the scratch buffer where escapes or chunks had to be put together.</summary>
internal readonly record struct Extent(int Start, int Length, bool InScratch = false);

/// <summary>What one record says, as parsed; spans are kept as extents so that this is an ordinary struct, reused for each record.</summary>
internal struct RecordFields
{
    /// <summary>Bit per <see cref="SenmlLabel"/> that occurred, usable or not.</summary>
    public uint Seen;

    /// <summary>The record in the payload.</summary>
    public Extent Record;

    public Extent Name;
    public Extent Unit;

    /// <summary>Text of <c>vs</c> or <c>vd</c>: raw, JSON without its quotes but with its escapes; CBOR a definite or chunked string.</summary>
    public Extent Text;

    public double Value;
    public double Sum;
    public double Time;
    public double UpdateTime;
    public bool Boolean;
    public double Raw;
    public double Coverage;
    public int Quality;
    public int Period;
    public int Calibration;
    public int Revision;

    /// <summary>First mistake in the record; null when there is none.</summary>
    public string? Problem;

    public RefusalReason Reason;

    /// <summary>The mistake concerns the whole pack (version).</summary>
    public bool EndsPack;

    public readonly bool Has(SenmlLabel label) => SenmlLabels.Has(Seen, label);

    public void Fail(RefusalReason reason, string problem)
    {
        // The first mistake is the one reported: later ones often follow from it.
        if (Problem is null)
        {
            Problem = problem;
            Reason = reason;
        }
    }
}

/// <summary>The base fields in force: they reach from their record to the next one that has the same field (RFC 8428 section 4.1).</summary>
internal struct BaseFields
{
    /// <summary>Bit per label that has been given in this pack.</summary>
    public uint Set;

    /// <summary>Bit per label whose last statement was unusable: records that would need it cannot be read.</summary>
    public uint Broken;

    /// <summary>Length of the base name, which stands at the start of the scratch buffer.</summary>
    public int NameLength;

    public int UnitLength;
    public Quantities.SenmlUnit? Unit;
    public double Time;
    public double Value;
    public double Sum;
    public int Version;

    /// <summary>The value of each base field as it stands in the payload, to write a record down on its own.</summary>
    public BaseExtents Raw;

    [InlineArray((int)SenmlLabel.BaseVersion + 1)]
    internal struct BaseExtents
    {
        private Extent _first;
    }
}

/// <summary>What the next element of a pack turned out to be.</summary>
internal enum RecordShape
{
    /// <summary>A map; its fields were read.</summary>
    Map,

    /// <summary>Something else than a map, well-formed.</summary>
    NotMap,

    /// <summary>The array ended, and nothing follows it.</summary>
    End,

    /// <summary>The encoding is broken here: nothing further can be read.</summary>
    Malformed,
}

/// <summary>Layout of the scratch buffer.</summary>
internal static class Scratch
{
    public const int NameBytesMax = 256;
    public const int UnitBytesMax = 32;

    /// <summary>Base name, and the record's name put behind it.</summary>
    public const int JoinedName = 0;

    /// <summary>The record's name, where it had escapes.</summary>
    public const int OwnName = JoinedName + (2 * NameBytesMax);

    /// <summary>The base unit.</summary>
    public const int BaseUnit = OwnName + NameBytesMax;

    /// <summary>The record's unit, where it had escapes.</summary>
    public const int OwnUnit = BaseUnit + UnitBytesMax;

    public const int Bytes = OwnUnit + UnitBytesMax;
}
