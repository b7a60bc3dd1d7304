using System.Text;

namespace Hub.Cloud.Ingest.Http;

/// <summary>User name and secret of an HTTP request (RFC 7617, UTF-8).</summary>
internal readonly record struct BasicCredentials(string User, byte[] Secret)
{
    /// <summary>Longest header read, characters.</summary>
    private const int HeaderMax = 1_024;

    /// <summary>Reads an Authorization header; false for anything that is not Basic with a user name and a secret.</summary>
    public static bool TryParse(string? header, out BasicCredentials credentials)
    {
        credentials = default;
        const string scheme = "Basic ";
        if (header is null || header.Length > HeaderMax || !header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var bytes = new byte[HeaderMax];
        if (!Convert.TryFromBase64Chars(header.AsSpan(scheme.Length).Trim(), bytes, out var length))
        {
            return false;
        }

        var colon = bytes.AsSpan(0, length).IndexOf((byte)':');
        if (colon <= 0 || colon == length - 1)
        {
            return false;
        }

        credentials = new BasicCredentials(Encoding.UTF8.GetString(bytes, 0, colon), bytes[(colon + 1)..length]);
        return true;
    }
}
