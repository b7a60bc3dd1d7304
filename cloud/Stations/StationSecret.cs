using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Stations;

/// <summary>
/// A station's secret as stored: PBKDF2 with HMAC-SHA-512 in the text form of Mosquitto's password files,
/// <c>$7${iterations}${salt}${hash}</c> with salt and hash in base64, so that the same text serves an external broker.
/// </summary>
/// <remarks>
/// Many iterations protect passwords that people choose, because those can be guessed. A station's secret is always 256 random bits made here and
/// never chosen by anybody: nobody can enumerate 2^256 of them, however fast one try is. The 101 iterations that Mosquitto itself uses are therefore
/// enough, and keep a login (and each HTTP push, which carries the secret every time) in the order of 0.1 ms on a small machine.
/// </remarks>
internal sealed class StationSecret
{
    private const int Iterations = 101;
    private const int IterationsMax = 1_000_000;
    private const int SaltBytes = 12;
    private const int HashBytes = 64;

    /// <summary>Longest secret looked at, in bytes; ours have 43. What is longer is compared as if it were empty.</summary>
    private const int SecretBytesMax = 256;

    private readonly byte[] salt;
    private readonly byte[] hash;
    private readonly int iterations;

    private StationSecret(byte[] salt, byte[] hash, int iterations)
    {
        this.salt = salt;
        this.hash = hash;
        this.iterations = iterations;
    }

    /// <summary>Stands in for the credential that an unknown station does not have: verifying against it takes as long and always fails.</summary>
    public static StationSecret Decoy { get; } = new(RandomNumberGenerator.GetBytes(SaltBytes), RandomNumberGenerator.GetBytes(HashBytes), Iterations);

    /// <summary>32 random bytes as base64url text: 43 characters.</summary>
    public static string Generate()
    {
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }

    /// <summary>The text that is stored for a secret, with a fresh salt.</summary>
    public static string Hash(string secret)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), salt, Iterations, HashAlgorithmName.SHA512, HashBytes);
        return string.Create(CultureInfo.InvariantCulture, $"$7${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    }

    /// <summary>Reads stored text.</summary>
    /// <exception cref="FormatException">It is not of the form above: the database was changed by hand.</exception>
    public static StationSecret Parse(string text)
    {
        var parts = text.Split('$');
        if (parts is not ["", "7", var count, var salt, var hash]
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < 1 or > IterationsMax)
        {
            throw new FormatException("A stored station secret is not of the form $7$iterations$salt$hash.");
        }

        var parsed = new StationSecret(Convert.FromBase64String(salt), Convert.FromBase64String(hash), iterations);
        return parsed.hash.Length == HashBytes
            ? parsed
            : throw new FormatException("A stored station secret has a hash of the wrong length.");
    }

    /// <summary>Whether a secret is this one; takes the same time whatever the answer, and allocates nothing.</summary>
    public bool Verify(ReadOnlySpan<byte> secretUtf8)
    {
        var fits = secretUtf8.Length <= SecretBytesMax;
        Span<byte> derived = stackalloc byte[HashBytes];
        Rfc2898DeriveBytes.Pbkdf2(fits ? secretUtf8 : [], salt, derived, iterations, HashAlgorithmName.SHA512);
        return CryptographicOperations.FixedTimeEquals(derived, hash) & fits;
    }
}
