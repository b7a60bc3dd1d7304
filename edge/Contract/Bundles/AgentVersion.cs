using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Hub.Edge.Contract.Bundles;

/// <summary>A version of the agent: three numbers, and a suffix for one that came before the release. Ordered as Semantic Versioning 2.0.0 section 11 orders them, build metadata left out.</summary>
public readonly record struct AgentVersion : IComparable<AgentVersion>
{
    private AgentVersion(int major, int minor, int patch, string suffix) => (Major, Minor, Patch, Suffix) = (major, minor, patch, suffix);

    /// <summary>First number.</summary>
    public int Major { get; }

    /// <summary>Second number.</summary>
    public int Minor { get; }

    /// <summary>Third number.</summary>
    public int Patch { get; }

    /// <summary>What follows the hyphen; empty for a release.</summary>
    public string Suffix { get; }

    /// <summary>Reads <c>major.minor.patch</c> or <c>major.minor.patch-suffix</c>, the suffix of letters, digits and hyphens in parts joined by dots; numbers without leading zeros.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out AgentVersion version)
    {
        version = default;
        if (text is null || text.Length > 64)
        {
            return false;
        }

        var hyphen = text.IndexOf('-', StringComparison.Ordinal);
        var numbers = (hyphen < 0 ? text : text[..hyphen]).Split('.');
        var suffix = hyphen < 0 ? "" : text[(hyphen + 1)..];
        if (numbers.Length != 3 || !TryNumber(numbers[0], out var major) || !TryNumber(numbers[1], out var minor) || !TryNumber(numbers[2], out var patch)
            || (hyphen >= 0 && !suffix.Split('.').All(IsPart)))
        {
            return false;
        }

        version = new AgentVersion(major, minor, patch, suffix);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(AgentVersion other)
    {
        var numbers = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        if (numbers != 0 || string.Equals(Suffix, other.Suffix, StringComparison.Ordinal))
        {
            return numbers;
        }

        // A release comes after everything that came before it.
        return Suffix.Length == 0 ? 1 : other.Suffix.Length == 0 ? -1 : CompareSuffix(Suffix.Split('.'), other.Suffix.Split('.'));
    }

    /// <summary>True when the left one is older.</summary>
    public static bool operator <(AgentVersion left, AgentVersion right) => left.CompareTo(right) < 0;

    /// <summary>True when the left one is newer.</summary>
    public static bool operator >(AgentVersion left, AgentVersion right) => left.CompareTo(right) > 0;

    /// <summary>True when the left one is not newer.</summary>
    public static bool operator <=(AgentVersion left, AgentVersion right) => left.CompareTo(right) <= 0;

    /// <summary>True when the left one is not older.</summary>
    public static bool operator >=(AgentVersion left, AgentVersion right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}{(string.IsNullOrEmpty(Suffix) ? "" : "-")}{Suffix}");

    private static int CompareSuffix(string[] left, string[] right)
    {
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            var (isLeft, isRight) = (TryNumber(left[i], out var a), TryNumber(right[i], out var b));
            var order = isLeft && isRight ? a.CompareTo(b) : isLeft ? -1 : isRight ? 1 : string.CompareOrdinal(left[i], right[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return left.Length.CompareTo(right.Length);
    }

    private static bool IsPart(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && (part.Length == 1 || part[0] != '0' || !part.All(char.IsAsciiDigit));

    private static bool TryNumber(string text, out int number)
    {
        number = 0;
        return text.Length is > 0 and < 10 && (text.Length == 1 || text[0] != '0') && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
