using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>What a link is for: a link for one thing does nothing else. Part of what is signed: never renumber.</summary>
internal enum LinkPurpose : byte
{
    Confirm = 1,
    Unsubscribe = 2,
    Preferences = 3,
}

/// <summary>
/// What links carry: purpose (1 byte), the random stamp of the row they speak of (16), the last second in which they hold (4, Unix time, big-endian; all ones: always), and the first 16 bytes of the HMAC-SHA256 of
/// these; base64url, 50 characters. There is nothing in it to learn, and none is stored: a link dies with the row that has its stamp. Pure.
/// </summary>
internal static class SignedToken
{
    /// <summary>Length of a key, bytes.</summary>
    public const int KeyBytes = 32;

    /// <summary>Length of a token, characters.</summary>
    public const int Length = 50;

    private const int SignedBytes = 1 + 16 + 4;
    private const int MacBytes = 16;

    /// <summary>Makes a token.</summary>
    /// <param name="key"><see cref="KeyBytes"/> random bytes.</param>
    /// <param name="purpose">What the link is for.</param>
    /// <param name="stamp">Of the row it speaks of.</param>
    /// <param name="until">UTC, the last second in which it holds; null: as long as the row is there.</param>
    public static string Make(ReadOnlySpan<byte> key, LinkPurpose purpose, Guid stamp, DateTime? until)
    {
        Span<byte> token = stackalloc byte[SignedBytes + MacBytes];
        token[0] = (byte)purpose;
        stamp.TryWriteBytes(token[1..17]);
        BinaryPrimitives.WriteUInt32BigEndian(token[17..], until is { } at ? (uint)new DateTimeOffset(at, TimeSpan.Zero).ToUnixTimeSeconds() : uint.MaxValue);
        Sign(key, token[..SignedBytes], token[SignedBytes..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Reads a token made by <see cref="Make"/> with the same key.</summary>
    /// <param name="key"><see cref="KeyBytes"/> bytes.</param>
    /// <param name="purpose">What the link must be for.</param>
    /// <param name="token">As it came: anything.</param>
    /// <param name="now">UTC.</param>
    /// <returns>The stamp; null when the token is not ours, for something else, or no longer holds.</returns>
    public static Guid? Read(ReadOnlySpan<byte> key, LinkPurpose purpose, string? token, DateTime now)
    {
        Span<byte> bytes = stackalloc byte[SignedBytes + MacBytes];
        Span<byte> utf8 = stackalloc byte[Length];
        if (token is not { Length: Length } || !Encoding.ASCII.TryGetBytes(token, utf8, out _)
            || Base64Url.DecodeFromUtf8(utf8, bytes, out var read, out var written) != System.Buffers.OperationStatus.Done || read != Length || written != bytes.Length
            // Bits that say nothing must be zero, or there would be several ways to write one token.
            || Base64Url.EncodeToString(bytes) != token)
        {
            return null;
        }

        Span<byte> mac = stackalloc byte[MacBytes];
        Sign(key, bytes[..SignedBytes], mac);
        var until = BinaryPrimitives.ReadUInt32BigEndian(bytes[17..]);
        return CryptographicOperations.FixedTimeEquals(mac, bytes[SignedBytes..]) && bytes[0] == (byte)purpose
            && (until == uint.MaxValue || until >= new DateTimeOffset(now, TimeSpan.Zero).ToUnixTimeSeconds())
            ? new Guid(bytes[1..17])
            : null;
    }

    private static void Sign(ReadOnlySpan<byte> key, ReadOnlySpan<byte> signed, Span<byte> mac)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, signed, whole);
        whole[..MacBytes].CopyTo(mac);
    }
}
