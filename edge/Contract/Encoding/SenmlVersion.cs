namespace Hub.Edge.Contract.Encoding;

/// <summary>The version number of a pack (<c>bver</c>), a bitmap of features since RFC 9100: bits are tested, numbers never compared.</summary>
public static class SenmlVersion
{
    /// <summary>RFC 8428 as it is, and what a pack without <c>bver</c> means.</summary>
    public const int Base = 0b0_1010;

    /// <summary>Feature code 4: secondary units (RFC 8798) may be used.</summary>
    public const int SecondaryUnitsFeature = 1 << 4;

    /// <summary>What our packs say: RFC 8428 with secondary units.</summary>
    public const int BaseWithSecondaryUnits = Base | SecondaryUnitsFeature;

    /// <summary>The version before the RFC had its number; RFC 8428's own examples still carry it. Same fields, no features.</summary>
    public const int Draft = 5;

    /// <summary>True when every feature the number announces is one we know, and the base is there.</summary>
    /// <param name="version">Value of <c>bver</c>; anything but a whole number is not understood.</param>
    public static bool IsUnderstood(double version)
    {
        if (version is not (>= 0 and <= int.MaxValue) || version != Math.Floor(version))
        {
            return false;
        }

        int bits = (int)version;
        return bits == Draft || ((bits & Base) == Base && (bits & ~BaseWithSecondaryUnits) == 0);
    }

    /// <summary>True when a pack of this version may use secondary units.</summary>
    public static bool AllowsSecondaryUnits(int version) => version != Draft && (version & SecondaryUnitsFeature) != 0;
}
