using System.ComponentModel.DataAnnotations;
using System.Net;
using Hub.Edge.Contract.Encoding;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Uplink;

/// <summary>Where the hub is and who the station is towards it. Sections <c>Agent</c> (municipality, station) and <c>Agent:Hub</c>.</summary>
public sealed class HubOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Agent:Hub";

    /// <summary>Slug of the municipality; from <c>Agent:Municipality</c>. Required.</summary>
    public string Municipality { get; internal set; } = "";

    /// <summary>Slug of the station; from <c>Agent:Station</c>. Required.</summary>
    public string Station { get; internal set; } = "";

    /// <summary>Host name or address of the MQTT broker. Default 127.0.0.1.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>TCP port, 1 to 65535; default 1883, with TLS usually 8883.</summary>
    public int Port { get; set; } = 1883;

    /// <summary>Address of the hub's pages, from which agents are fetched with the station's secret, e.g. <c>https://hub.example.pt</c>; default: https on <see cref="Address"/>.</summary>
    public string? Pages { get; set; }

    /// <summary>True for TLS. Required for every address but this machine's own, unless <see cref="PlainAllowed"/>.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file with the certificates of the authorities that alone are believed; default: those of the operating system. Only with <see cref="Tls"/>.</summary>
    [DataType("path")]
    public string? CaFile { get; set; }

    /// <summary>PEM file with the station's certificate, and those between it and its authority, for a broker that asks for one. Only with <see cref="Tls"/> and <see cref="KeyFile"/>; read again at every connection.</summary>
    [DataType("path")]
    public string? CertificateFile { get; set; }

    /// <summary>PEM file with the unencrypted private key of <see cref="CertificateFile"/>.</summary>
    [DataType("path")]
    public string? KeyFile { get; set; }

    /// <summary>True to send secret and readings unencrypted to another machine: for a closed network only.</summary>
    public bool PlainAllowed { get; set; }

    /// <summary>File whose first line is the station's secret; read again at every connection, so that it can be renewed in place. Goes before an inline <see cref="Secret"/>.</summary>
    [DataType("path")]
    public string? SecretFile { get; set; }

    /// <summary>The station's secret itself. Never printed.</summary>
    [DataType(DataType.Password)]
    public string? Secret { get; set; }

    internal bool HasCertificate => !string.IsNullOrEmpty(CertificateFile) && !string.IsNullOrEmpty(KeyFile);

    internal string UserName => $"{Municipality}/{Station}";

    internal bool IsThisMachine => string.Equals(Address, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Address, out var address) && IPAddress.IsLoopback(address));
}

/// <summary>How readings are sent. Section <c>Agent:Uplink</c>.</summary>
public sealed class UplinkOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Agent:Uplink";

    /// <summary>Most readings in one pack, 1 to 2,000, default 100: more is cheaper to send, fewer lose less time when the line breaks.</summary>
    public int PackReadings { get; set; } = 100;

    /// <summary>Most packs sent and not yet acknowledged, 1 to 100, default 8 (never more than the broker allows): more hides a slow line, fewer repeat less after a break.</summary>
    public int Window { get; set; } = 8;

    /// <summary>
    /// Most readings a second of what has waited while the hub was out of reach, 0 to 1,000,000, default 10,000; 0 for no limit. What is taken now goes before it and is not
    /// counted. Lower leaves more of a thin line to other things.
    /// </summary>
    public int BacklogReadingsPerSecond { get; set; } = 10_000;

    /// <summary><c>cbor</c> (default) or <c>json</c>, about twice as large and readable.</summary>
    public PackFormat Encoding { get; set; } = PackFormat.Cbor;

    /// <summary>
    /// Longest silence towards the broker, 5 s to 10 minutes, default 1 minute: the broker notices a dead line after one and a half of it. Mobile networks forget a silent
    /// connection, some after two minutes: stay below half of that. Shorter notices sooner and costs data, about 0.1 kB each time.
    /// </summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the broker keeps the session without a connection, 0 to 30 days, default 1 day.</summary>
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long the broker waits before it says that the station is offline, 0 to 1 hour, default 30 s.</summary>
    public TimeSpan WillDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the word that the station is online holds, 2 minutes to 1 day, default 1 hour; it is renewed at half of that, so that a broker that lost the last will does not
    /// call a dead station online for ever.
    /// </summary>
    public TimeSpan StatusExpiry { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a pack may stay unacknowledged before the connection is given up and the pack sent again, 1 s to 10 minutes, default 60 s.</summary>
    public TimeSpan AckTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long connecting may take, 1 s to 5 minutes, default 20 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>First pause before connecting again, 0.05 s to 1 minute, default 0.5 s; doubles up to <see cref="RetryDelayMax"/>.</summary>
    public TimeSpan RetryDelayMin { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause before connecting again, up to 1 hour, default 60 s.</summary>
    public TimeSpan RetryDelayMax { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Pause after the hub has refused the station's name or secret, default 30 s: it is a person who must act.</summary>
    public TimeSpan RefusedDelay { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>Checks <see cref="HubOptions"/>.</summary>
internal sealed class HubOptionsValidator : IValidateOptions<HubOptions>
{
    public ValidateOptionsResult Validate(string? name, HubOptions options)
    {
        var failures = new List<string>();
        Slug("Agent:Municipality", options.Municipality);
        Slug("Agent:Station", options.Station);
        if (string.IsNullOrWhiteSpace(options.Address))
        {
            failures.Add($"{HubOptions.Section}:Address is empty; give the host name or address of the hub.");
        }

        if (options.Port is < 1 or > 65535)
        {
            failures.Add($"{HubOptions.Section}:Port is {options.Port}; give 1 to 65535.");
        }

        if (options.Pages is { Length: > 0 } pages && !(Uri.TryCreate(pages, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0))
        {
            failures.Add($"{HubOptions.Section}:Pages is '{pages}'; give an address such as https://hub.example.pt.");
        }

        if (!options.Tls && !options.PlainAllowed && !options.IsThisMachine)
        {
            failures.Add($"{HubOptions.Section}:Tls is off and {HubOptions.Section}:Address '{options.Address}' is another machine; switch Tls on, or set {HubOptions.Section}:PlainAllowed in a closed network.");
        }

        if (options.CaFile is { Length: > 0 } ca && !File.Exists(ca))
        {
            failures.Add($"{HubOptions.Section}:CaFile '{ca}' does not exist.");
        }

        if (options.CertificateFile is { Length: > 0 } certificate && !File.Exists(certificate))
        {
            failures.Add($"{HubOptions.Section}:CertificateFile '{certificate}' does not exist.");
        }

        if (options.KeyFile is { Length: > 0 } key && !File.Exists(key))
        {
            failures.Add($"{HubOptions.Section}:KeyFile '{key}' does not exist.");
        }

        if (string.IsNullOrEmpty(options.CertificateFile) != string.IsNullOrEmpty(options.KeyFile))
        {
            failures.Add($"{HubOptions.Section}:CertificateFile and {HubOptions.Section}:KeyFile go together; give both or neither.");
        }
        else if (options.HasCertificate && !options.Tls)
        {
            failures.Add($"{HubOptions.Section}:CertificateFile is given but {HubOptions.Section}:Tls is off; switch Tls on.");
        }

        if (options.SecretFile is { Length: > 0 } secret && !File.Exists(secret))
        {
            failures.Add($"{HubOptions.Section}:SecretFile '{secret}' does not exist.");
        }

        if (string.IsNullOrEmpty(options.SecretFile) && string.IsNullOrEmpty(options.Secret) && !options.HasCertificate)
        {
            failures.Add($"{HubOptions.Section}:SecretFile is not given; give the file with the station's secret.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Slug(string key, string value)
        {
            if (!IsSlug(value))
            {
                failures.Add($"{key} is '{value}'; give 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter or digit.");
            }
        }
    }

    internal static bool IsSlug(string text) =>
        text.Length is >= 1 and <= 64 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';
}

/// <summary>Checks <see cref="UplinkOptions"/>.</summary>
internal sealed class UplinkOptionsValidator : IValidateOptions<UplinkOptions>
{
    public ValidateOptionsResult Validate(string? name, UplinkOptions options)
    {
        var failures = new List<string>();
        Range("PackReadings", options.PackReadings, 1, 2000);
        Range("Window", options.Window, 1, 100);
        Range("BacklogReadingsPerSecond", options.BacklogReadingsPerSecond, 0, 1_000_000);
        Span("KeepAlive", options.KeepAlive, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
        Span("SessionExpiry", options.SessionExpiry, TimeSpan.Zero, TimeSpan.FromDays(30));
        Span("WillDelay", options.WillDelay, TimeSpan.Zero, TimeSpan.FromHours(1));
        Span("StatusExpiry", options.StatusExpiry, TimeSpan.FromMinutes(2), TimeSpan.FromDays(1));
        Span("AckTimeout", options.AckTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Span("ConnectTimeout", options.ConnectTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        Span("RetryDelayMin", options.RetryDelayMin, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));
        Span("RetryDelayMax", options.RetryDelayMax, options.RetryDelayMin, TimeSpan.FromHours(1));
        Span("RefusedDelay", options.RefusedDelay, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1));
        if (!Enum.IsDefined(options.Encoding))
        {
            failures.Add($"{UplinkOptions.Section}:Encoding is {options.Encoding}; give cbor or json.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Range(string key, int value, int from, int to)
        {
            if (value < from || value > to)
            {
                failures.Add($"{UplinkOptions.Section}:{key} is {value}; give {from} to {to}.");
            }
        }

        void Span(string key, TimeSpan value, TimeSpan from, TimeSpan to)
        {
            if (value < from || value > to)
            {
                failures.Add($"{UplinkOptions.Section}:{key} is {value}; give {from} to {to}.");
            }
        }
    }
}
