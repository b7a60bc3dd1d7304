using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Claims;

/// <summary>
/// A one-time code an installer types or copies: twelve characters of Crockford's base 32 (60 bits) in three groups, such as <c>7K3M-Q9XT-2HWB</c>. Case, spaces and hyphens do not
/// matter; O is read as 0, I and L as 1. The last character has no special meaning: a mistyped code is simply not known.
/// </summary>
public static class ClaimCode
{
    /// <summary>Characters without hyphens.</summary>
    public const int CharactersCount = 12;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>Makes a code of random bytes.</summary>
    /// <param name="random"><see cref="CharactersCount"/> bytes from a cryptographic source; five bits of each are used.</param>
    public static string Make(ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(random.Length, CharactersCount);
        Span<char> code = stackalloc char[CharactersCount];
        for (var i = 0; i < code.Length; i++)
        {
            code[i] = Alphabet[random[i] & 31];
        }

        return Show(code);
    }

    /// <summary>Reads what a person typed; the result is in the form of <see cref="Make"/>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out string? code)
    {
        code = null;
        if (text is null || text.Length > 64)
        {
            return false;
        }

        Span<char> read = stackalloc char[CharactersCount];
        var count = 0;
        foreach (var character in text)
        {
            if (character is '-' or ' ')
            {
                continue;
            }

            var upper = char.ToUpperInvariant(character) switch { 'O' => '0', 'I' or 'L' => '1', var other => other };
            if (count == CharactersCount || !Alphabet.Contains(upper, StringComparison.Ordinal))
            {
                return false;
            }

            read[count++] = upper;
        }

        code = count == CharactersCount ? Show(read) : null;
        return code is not null;
    }

    private static string Show(ReadOnlySpan<char> code) => $"{code[..4]}-{code[4..8]}-{code[8..]}";
}
