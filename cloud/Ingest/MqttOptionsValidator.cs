using System.Net;
using System.Text;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest;

/// <summary>Checks <see cref="MqttOptions"/> before start; each message names the full key.</summary>
internal sealed class MqttOptionsValidator : IValidateOptions<MqttOptions>
{
    public ValidateOptionsResult Validate(string? name, MqttOptions options)
    {
        var faults = new List<string>();
        Range(faults, "ConnectionsMax", options.ConnectionsMax, 1, 100_000);
        Range(faults, "ConnectionsPerUserMax", options.ConnectionsPerUserMax, 1, 1_000);
        Range(faults, "RetainedBytesMax", options.RetainedBytesMax, 1024, 256 * 1024);
        Range(faults, "LoginTimeout", options.LoginTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        if (options.Mode == MqttMode.Embedded)
        {
            CheckEmbedded(options, faults);
        }
        else
        {
            CheckExternal(options.External, faults);
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void CheckEmbedded(MqttOptions options, List<string> faults)
    {
        if (options.Endpoint.Length == 0 && options.Tls.Endpoint.Length == 0)
        {
            faults.Add("Hub:Mqtt:Endpoint and Hub:Mqtt:Tls:Endpoint are both empty: set one, or set Hub:Mqtt:Mode to External.");
        }

        if (options.Endpoint.Length > 0)
        {
            if (!TryEndpoint(options.Endpoint, out var endpoint))
            {
                faults.Add($"Hub:Mqtt:Endpoint '{options.Endpoint}' is not an address and port such as 127.0.0.1:1883.");
            }
            else if (!IPAddress.IsLoopback(endpoint.Address))
            {
                faults.Add($"Hub:Mqtt:Endpoint {options.Endpoint} would be open to the network without TLS: use a loopback address there, and Hub:Mqtt:Tls:Endpoint with a certificate for the network.");
            }
        }

        if (options.Tls.Endpoint.Length > 0)
        {
            if (!TryEndpoint(options.Tls.Endpoint, out var endpoint))
            {
                faults.Add($"Hub:Mqtt:Tls:Endpoint '{options.Tls.Endpoint}' is not an address and port such as 0.0.0.0:8883.");
            }
            else if (endpoint.Port != 0 && TryEndpoint(options.Endpoint, out var plain) && plain.Equals(endpoint))
            {
                faults.Add("Hub:Mqtt:Tls:Endpoint is the same as Hub:Mqtt:Endpoint: give them different ports.");
            }

            MustExist(faults, "Tls:CertificateFile", options.Tls.CertificateFile);
            MustExist(faults, "Tls:KeyFile", options.Tls.KeyFile);
            if (options.Tls.ClientAuthorityFile.Length > 0)
            {
                MustExist(faults, "Tls:ClientAuthorityFile", options.Tls.ClientAuthorityFile);
            }
        }
        else if (options.Tls.CertificateFile.Length > 0 || options.Tls.KeyFile.Length > 0 || options.Tls.ClientAuthorityFile.Length > 0)
        {
            faults.Add("Hub:Mqtt:Tls:Endpoint is empty although a certificate is set: say where to listen, e.g. 0.0.0.0:8883.");
        }

        CheckWebSockets(options, faults);
        CheckReaders(options.Readers, faults);
    }

    private static void CheckWebSockets(MqttOptions options, List<string> faults)
    {
        var path = options.WebSocketPath;
        if (path.Length > 0 && (path[0] != '/' || path.Length is 1 or > 128 || path[^1] == '/' || path.Contains("//", StringComparison.Ordinal) || !path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '.' or '_')))
        {
            faults.Add($"Hub:Mqtt:WebSocketPath '{path}' is not a path such as /mqtt: a slash, then letters, digits and - . _ / without a slash at the end; or leave it empty for no WebSockets.");
        }

        if (options.WebSocketOrigins.Count > 100)
        {
            faults.Add("Hub:Mqtt:WebSocketOrigins must hold at most 100 origins.");
            return;
        }

        for (var i = 0; i < options.WebSocketOrigins.Count; i++)
        {
            if (!Mqtt.WebSocketOrigins.TryParse(options.WebSocketOrigins[i] ?? "", out _))
            {
                faults.Add($"Hub:Mqtt:WebSocketOrigins:{i} '{options.WebSocketOrigins[i]}' is not an origin such as https://dashboards.example: http or https, a host, and a port if it is not the usual one.");
            }
        }
    }

    private static void CheckReaders(IList<MqttReaderOptions> readers, List<string> faults)
    {
        if (readers.Count > 1_000)
        {
            faults.Add("Hub:Mqtt:Readers must hold at most 1000 users.");
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < readers.Count; i++)
        {
            var (reader, key) = (readers[i], $"Hub:Mqtt:Readers:{i}");
            if (!HubTopic.IsSlug(reader.User))
            {
                faults.Add($"{key}:User '{reader.User}' must be 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter or digit.");
            }
            else if (!seen.Add(reader.User))
            {
                faults.Add($"{key}:User '{reader.User}' is there twice.");
            }

            var secrets = (reader.Secret is null ? 0 : 1) + (reader.SecretSha256 is null ? 0 : 1) + (reader.SecretFile is null ? 0 : 1);
            if (secrets != 1)
            {
                faults.Add($"{key} needs exactly one of Secret, SecretSha256 and SecretFile.");
            }

            if (reader.Secret is { Length: < 16 })
            {
                faults.Add($"{key}:Secret must have 16 characters or more.");
            }

            if (reader.SecretSha256 is { } hash && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigit)))
            {
                faults.Add($"{key}:SecretSha256 must be 64 hexadecimal digits.");
            }

            if (reader.SecretFile is { } file && !File.Exists(file))
            {
                faults.Add($"{key}:SecretFile '{file}' does not exist.");
            }

            if (reader.Municipalities.Count == 0 || !reader.Municipalities.All(m => HubTopic.IsSlug(m)))
            {
                faults.Add($"{key}:Municipalities must name one or more municipalities by slug.");
            }
        }
    }

    private static void CheckExternal(MqttExternalOptions external, List<string> faults)
    {
        if (!TryHost(external.Address, out var host, out _))
        {
            faults.Add($"Hub:Mqtt:External:Address '{external.Address}' is not a host and port such as broker.example:8883.");
        }
        else if (!external.Tls && !IsLoopback(host))
        {
            faults.Add($"Hub:Mqtt:External:Tls must be true for {external.Address}: without TLS only a broker on a loopback address is used.");
        }

        if (external.User.Length == 0)
        {
            faults.Add("Hub:Mqtt:External:User is empty: the hub does not use a broker anonymously.");
        }

        MustExist(faults, "External:SecretFile", external.SecretFile);
        if (external.CertificateAuthorityFile.Length > 0)
        {
            MustExist(faults, "External:CertificateAuthorityFile", external.CertificateAuthorityFile);
        }

        if (external.ClientId.Length == 0 || Encoding.UTF8.GetByteCount(external.ClientId) > 128)
        {
            faults.Add("Hub:Mqtt:External:ClientId must have 1 to 128 bytes.");
        }

        if (external.ShareName.Length is 0 or > 64 || external.ShareName.AsSpan().IndexOfAny("/+#") >= 0)
        {
            faults.Add("Hub:Mqtt:External:ShareName must have 1 to 64 characters, none of them / + or #.");
        }

        Range(faults, "External:ReceiveMaximum", external.ReceiveMaximum, 1, 1024);
        Range(faults, "External:SessionExpiry", external.SessionExpiry, TimeSpan.FromMinutes(1), TimeSpan.FromDays(36_525));
        Range(faults, "External:RetryMin", external.RetryMin, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Range(faults, "External:RetryMax", external.RetryMax, external.RetryMin, TimeSpan.FromHours(1));
    }

    /// <summary>Reads <c>address:port</c>, an IPv6 address in brackets; the port must be written.</summary>
    internal static bool TryEndpoint(string text, out IPEndPoint endpoint)
    {
        endpoint = new IPEndPoint(IPAddress.None, 0);
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || colon == text.Length - 1 || !IPEndPoint.TryParse(text, out var parsed)
            || (parsed.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && text[colon - 1] != ']'))
        {
            return false;
        }

        endpoint = parsed;
        return true;
    }

    /// <summary>Reads <c>host:port</c>, an IPv6 address in brackets.</summary>
    internal static bool TryHost(string text, out string host, out int port)
    {
        var colon = text.LastIndexOf(':');
        host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        port = 0;
        return host.Length > 0
            && int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port)
            && port is >= 1 and <= 65_535
            && Uri.CheckHostName(host) != UriHostNameType.Unknown;
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static void MustExist(List<string> faults, string key, string file)
    {
        if (file.Length == 0)
        {
            faults.Add($"{MqttOptions.Section}:{key} is empty: name a file.");
        }
        else if (!File.Exists(file))
        {
            faults.Add($"{MqttOptions.Section}:{key} '{file}' does not exist.");
        }
    }

    private static void Range<T>(List<string> faults, string key, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
        {
            faults.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{MqttOptions.Section}:{key} must be {min} to {max}."));
        }
    }
}
