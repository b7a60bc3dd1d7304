using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>A user who may read alarms.</summary>
internal sealed record ReaderAccount(string User, byte[] SecretSha256, IReadOnlyList<string> Municipalities);

/// <summary>The readers of <see cref="MqttOptions.Readers"/>. Immutable; safe for concurrent callers.</summary>
internal sealed class ReaderAccounts
{
    private readonly Dictionary<string, ReaderAccount> _accounts = new(StringComparer.Ordinal);

    /// <exception cref="BrokerStartException">A secret file cannot be read, or holds a secret that is too short.</exception>
    public ReaderAccounts(IList<MqttReaderOptions> readers)
    {
        for (var i = 0; i < readers.Count; i++)
        {
            var reader = readers[i];
            _accounts[reader.User] = new ReaderAccount(reader.User, HashOf(reader, i), [.. reader.Municipalities]);
        }
    }

    public bool TryGet(string user, [NotNullWhen(true)] out ReaderAccount? account) => _accounts.TryGetValue(user, out account);

    /// <summary>Compares in constant time.</summary>
    public bool Authenticate(string user, ReadOnlySpan<byte> secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(secret, hash);
        return _accounts.TryGetValue(user, out var account) && CryptographicOperations.FixedTimeEquals(hash, account.SecretSha256);
    }

    private static byte[] HashOf(MqttReaderOptions reader, int index)
    {
        if (reader.SecretSha256 is { } hex)
        {
            return Convert.FromHexString(hex);
        }

        var secret = reader.Secret ?? SecretFiles.Read(reader.SecretFile ?? "", $"Hub:Mqtt:Readers:{index}:SecretFile");
        if (secret.Length < 16)
        {
            throw new BrokerStartException($"Hub:Mqtt:Readers:{index}: the secret must have 16 characters or more.");
        }

        return SHA256.HashData(Encoding.UTF8.GetBytes(secret));
    }
}

/// <summary>Secrets kept in files.</summary>
internal static class SecretFiles
{
    /// <exception cref="BrokerStartException">The file cannot be read or is empty.</exception>
    public static string Read(string file, string key)
    {
        try
        {
            var secret = File.ReadAllText(file).Trim('\r', '\n');
            return secret.Length > 0 ? secret : throw new BrokerStartException($"{key} '{file}' is empty: write the secret into it.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BrokerStartException($"{key} '{file}' cannot be read: {exception.Message}", exception);
        }
    }
}
