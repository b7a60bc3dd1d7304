using System.Security.Cryptography;
using System.Text;
using Hub.Edge.Contract.Claims;

namespace Hub.Cloud.Fleet.Claims;

/// <summary>Claim codes as they are made and as they are stored.</summary>
internal static class ClaimCodes
{
    /// <summary>
    /// Of 60 random bits a plain hash could be tried out by whoever reads the database; this makes each try 20,000 times as dear. The same salt for all, as a code must be found by its hash:
    /// no two codes are the same, so it costs nothing.
    /// </summary>
    private const int Iterations = 20_000;

    private static readonly byte[] Salt = "hub claim code v1"u8.ToArray();

    /// <summary>A code of 60 random bits.</summary>
    public static string Make()
    {
        Span<byte> random = stackalloc byte[ClaimCode.CharactersCount];
        RandomNumberGenerator.Fill(random);
        return ClaimCode.Make(random);
    }

    /// <summary>What is stored of a code. Takes as long for a text that is no code, which has the hash of none.</summary>
    public static string Hash(string text)
    {
        var isCode = ClaimCode.TryParse(text, out var code);
        var hash = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(code ?? ""), Salt, Iterations, HashAlgorithmName.SHA256, 32);
        return isCode ? Convert.ToHexStringLower(hash) : "";
    }
}
