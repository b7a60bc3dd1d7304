using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet;

/// <summary>Settings of the Fleet stage, section <c>Hub:Fleet</c>. Read once at start; a change needs a restart.</summary>
public sealed class FleetOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Fleet";

    /// <summary>How long a command may be on its way to a station, 5 s to 1 h, default 1 min; then it is not delivered any more. Its answer is awaited as long.</summary>
    public TimeSpan CommandExpiry { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Most commands under way to one station, 1 to 100, default 4. Past it a further one is refused.</summary>
    public int CommandsPerStationMax { get; set; } = 4;

    /// <summary>Most commands under way of the whole hub, 1 to 10,000, default 500. Past it a further one is refused.</summary>
    public int CommandsMax { get; set; } = 500;

    /// <summary>How long a claim code can be used, 1 h to 90 days, default 7 days.</summary>
    public TimeSpan ClaimValid { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Wrong claims of one address in 10 minutes, 3 to 1,000, default 10. Past it that address is answered 429. Behind a proxy on this machine all have its address.</summary>
    public int ClaimFailuresPerAddressMax { get; set; } = 10;

    /// <summary>Claims of the whole hub in one minute, 10 to 10,000, default 120. Past it everybody is answered 429; each costs some milliseconds of work.</summary>
    public int ClaimsPerMinuteMax { get; set; } = 120;

    /// <summary>How long a station's old secret stays valid when the hub gives it a new one, 1 h to 90 days, default 1 day: the time it has to show that it took the new one.</summary>
    public TimeSpan RotationOverlap { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Versions of what is wanted that are kept of each station, 10 to 10,000, default 100. Past it the oldest is forgotten.</summary>
    public int HistoryMax { get; set; } = 100;

    /// <summary>PEM files with public keys (ECDSA, P-256) of which one must have signed an agent bundle, or it is not taken; at most 16. Empty (default): only stations check signatures.</summary>
    public IList<string> UpdateKeys { get; } = [];

    /// <summary>Agent bundles kept, 2 to 200, default 20. Past it the oldest that no campaign under way needs is deleted; where all are needed a further one is refused. Each has at most 256 MiB.</summary>
    public int BundlesMax { get; set; } = 20;

    /// <summary>Bundles sent at the same time, 1 to 1,000, default 16. Past it stations are answered 503 and come back later.</summary>
    public int DownloadsMax { get; set; } = 16;

    /// <summary>Where bundles are kept, from <c>Hub:Data</c>.</summary>
    internal string BundleFolder { get; set; } = "";

    /// <summary>Where stations reach the hub's pages, from <c>Hub:PublicUrl</c>; empty when not known: campaigns then wait.</summary>
    internal string PublicUrl { get; set; } = "";
}

/// <summary>Where stations reach this hub, when that is not what the hub itself would say: section <c>Hub:Public</c>. Told to stations that claim themselves.</summary>
public sealed class PublicOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Public";

    /// <summary>
    /// Host and port of the MQTT broker, e.g. <c>hub.example.pt:8883</c>. Empty (default): the external broker's address, or the embedded broker's TLS port at the host name under which the
    /// station reached this hub.
    /// </summary>
    public string Mqtt { get; set; } = "";

    /// <summary>Whether TLS is spoken at <see cref="Mqtt"/>. Default true; false is for a broker on the station's own machine.</summary>
    public bool MqttTls { get; set; } = true;

    /// <summary>PEM file with the authorities of the broker's certificate, which stations then pin. Empty (default): a public authority has issued it.</summary>
    public string AuthorityFile { get; set; } = "";
}

internal sealed class FleetOptionsValidator : IValidateOptions<FleetOptions>
{
    public ValidateOptionsResult Validate(string? name, FleetOptions options)
    {
        List<string> failures = [];
        Between(nameof(options.CommandExpiry), options.CommandExpiry, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));
        Between(nameof(options.CommandsPerStationMax), options.CommandsPerStationMax, 1, 100);
        Between(nameof(options.CommandsMax), options.CommandsMax, 1, 10_000);
        Between(nameof(options.ClaimValid), options.ClaimValid, TimeSpan.FromHours(1), TimeSpan.FromDays(90));
        Between(nameof(options.ClaimFailuresPerAddressMax), options.ClaimFailuresPerAddressMax, 3, 1_000);
        Between(nameof(options.ClaimsPerMinuteMax), options.ClaimsPerMinuteMax, 10, 10_000);
        Between(nameof(options.RotationOverlap), options.RotationOverlap, TimeSpan.FromHours(1), TimeSpan.FromDays(90));
        Between(nameof(options.HistoryMax), options.HistoryMax, 10, 10_000);
        Between(nameof(options.BundlesMax), options.BundlesMax, 2, 200);
        Between(nameof(options.DownloadsMax), options.DownloadsMax, 1, 1_000);
        Between(nameof(options.UpdateKeys), options.UpdateKeys.Count, 0, 16);
        foreach (var file in options.UpdateKeys)
        {
            try
            {
                AgentBundleCheck.ReadPublicKey(file).Dispose();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                failures.Add($"{FleetOptions.Section}:{nameof(options.UpdateKeys)} '{file}' cannot be used: {exception.Message}");
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Between<T>(string key, T value, T least, T most)
            where T : IComparable<T>
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            {
                failures.Add(FormattableString.Invariant($"{FleetOptions.Section}:{key} is {value}; it must be {least} to {most}."));
            }
        }
    }
}

internal sealed class PublicOptionsValidator : IValidateOptions<PublicOptions>
{
    public ValidateOptionsResult Validate(string? name, PublicOptions options)
    {
        List<string> failures = [];
        if (options.Mqtt.Length > 0 && !TryHost(options.Mqtt, out _, out _))
        {
            failures.Add($"{PublicOptions.Section}:{nameof(options.Mqtt)} '{options.Mqtt}' is not a host and port such as hub.example.pt:8883.");
        }

        if (options.AuthorityFile.Length > 0)
        {
            try
            {
                _ = Authorities(options.AuthorityFile);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or InvalidDataException)
            {
                failures.Add($"{PublicOptions.Section}:{nameof(options.AuthorityFile)} '{options.AuthorityFile}' cannot be used: {exception.Message}");
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
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

    /// <summary>The certificates of a PEM file, and nothing else of it: a key that was left there must not go out.</summary>
    /// <exception cref="InvalidDataException">There is none in it, or more than a claim's answer holds.</exception>
    internal static string Authorities(string file)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(file);
        if (certificates.Count == 0)
        {
            throw new InvalidDataException("it holds no certificate; give the authority's in PEM form");
        }

        var pem = certificates.ExportCertificatePems() + "\n";
        return pem.Length <= 12_000 ? pem : throw new InvalidDataException("it holds more certificates than fit into the answer to a claim (12 kB); leave the authority's own");
    }
}
