using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Notifications.Webhook;

/// <summary>Signature of Standard Webhooks 1.0.0, version <c>v1</c>: HMAC-SHA256 over id, timestamp and body.</summary>
internal static class WebhookSignature
{
    /// <summary>What a secret begins with.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>Reads a secret: the prefix and the base64 form of 24 to 64 bytes.</summary>
    public static bool TryReadSecret(string secret, out byte[] key)
    {
        key = [];
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var buffer = new byte[secret.Length];
        if (!Convert.TryFromBase64String(secret[SecretPrefix.Length..], buffer, out var length) || length is < 24 or > 64)
        {
            return false;
        }

        key = buffer[..length];
        return true;
    }

    /// <summary>The id of a message: a function of its idempotency key, so that a receiver knows a repeated one.</summary>
    public static string IdOf(string key) => "msg_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));

    /// <summary>The header <c>webhook-signature</c>.</summary>
    /// <param name="key">Bytes of the secret.</param>
    /// <param name="id">The header <c>webhook-id</c>.</param>
    /// <param name="timestamp">The header <c>webhook-timestamp</c>: Unix seconds of this attempt.</param>
    /// <param name="body">The bytes sent.</param>
    public static string Sign(byte[] key, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")));
        hmac.AppendData(body);
        return "v1," + Convert.ToBase64String(hmac.GetHashAndReset());
    }
}
