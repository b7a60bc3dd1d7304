namespace Hub.Cloud.Ingest;

/// <summary>Which broker the hub lives on.</summary>
public enum MqttMode
{
    /// <summary>The hub is the broker.</summary>
    Embedded,

    /// <summary>The hub is a client of a broker that stands elsewhere (Mosquitto, EMQX, ...).</summary>
    External,
}

/// <summary>Settings of MQTT, bound from <c>Hub:Mqtt</c> and checked before start.</summary>
public sealed class MqttOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Mqtt";

    /// <summary>The broker to use (default <see cref="MqttMode.Embedded"/>).</summary>
    public MqttMode Mode { get; set; } = MqttMode.Embedded;

    /// <summary>
    /// Address and port the embedded broker listens on without TLS, e.g. <c>127.0.0.1:1883</c> (default) or <c>[::1]:1883</c>; port 0 lets the system choose. Only
    /// loopback addresses are taken. Empty: no listener without TLS.
    /// </summary>
    public string Endpoint { get; set; } = "127.0.0.1:1883";

    /// <summary>The embedded broker's listener with TLS.</summary>
    public MqttTlsOptions Tls { get; set; } = new();

    /// <summary>
    /// Path at which the embedded broker is reached over WebSockets, on the address of the hub's pages and with their TLS (default <c>/mqtt</c>): a slash and letters, digits and <c>- . _ /</c>,
    /// at most 128 characters. Empty: no WebSockets.
    /// </summary>
    public string WebSocketPath { get; set; } = "/mqtt";

    /// <summary>
    /// Sites besides the hub's own whose pages may connect over WebSockets, e.g. <c>https://dashboards.example</c>; at most 100 (default none). Clients that are no browser say no origin and may
    /// always.
    /// </summary>
    public IList<string> WebSocketOrigins { get; } = [];

    /// <summary>Where people reach the hub's pages, from <c>Hub:PublicUrl</c>; empty when not known.</summary>
    internal string PublicUrl { get; set; } = "";

    /// <summary>Most connections at once, 1 to 100,000 (default 10,000). Past it new ones are closed and counted.</summary>
    public int ConnectionsMax { get; set; } = 10_000;

    /// <summary>Most connections of one user name at once, 1 to 1,000 (default 16). Past it a login is refused (0x97, in 3.1.1 return code 3).</summary>
    public int ConnectionsPerUserMax { get; set; } = 16;

    /// <summary>Time a new connection has to finish TLS and log in, 1 s to 5 min (default 10 s).</summary>
    public TimeSpan LoginTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest retained message (status, configuration), 1 KiB to 256 KiB (default 64 KiB).</summary>
    public int RetainedBytesMax { get; set; } = 64 * 1024;

    /// <summary>Users who may read alarms and nothing else: dashboards, the demonstration. At most 1,000.</summary>
    public IList<MqttReaderOptions> Readers { get; } = [];

    /// <summary>The external broker.</summary>
    public MqttExternalOptions External { get; set; } = new();
}

/// <summary>The embedded broker's listener with TLS: <c>Hub:Mqtt:Tls</c>.</summary>
public sealed class MqttTlsOptions
{
    /// <summary>Address and port, e.g. <c>0.0.0.0:8883</c>. Empty (default): no listener with TLS.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>PEM file with the certificate and, after it, its intermediates.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM file with the certificate's private key, not encrypted.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>
    /// PEM file with the authorities whose client certificates let a station in without its secret: the subject's common name must be <c>{municipality}/{station}</c>. Empty (default): no
    /// client certificate is asked for. Such an authority must issue certificates for stations only, each to the station it names.
    /// </summary>
    public string ClientAuthorityFile { get; set; } = "";
}

/// <summary>A user who may read the alarms of some municipalities: an item of <c>Hub:Mqtt:Readers</c>. Exactly one of the three secrets is set.</summary>
public sealed class MqttReaderOptions
{
    /// <summary>User name, 1 to 64 of <c>a-z 0-9 -</c>: without a slash, so never a station's.</summary>
    public string User { get; set; } = "";

    /// <summary>The secret itself, 16 characters or more.</summary>
    public string? Secret { get; set; }

    /// <summary>SHA-256 of the secret (UTF-8), 64 hexadecimal digits. Only for secrets of 128 random bits or more.</summary>
    public string? SecretSha256 { get; set; }

    /// <summary>File that holds the secret; line ends around it are ignored.</summary>
    public string? SecretFile { get; set; }

    /// <summary>Slugs of the municipalities whose alarms may be read, 1 or more.</summary>
    public IList<string> Municipalities { get; } = [];
}

/// <summary>The external broker: <c>Hub:Mqtt:External</c>.</summary>
public sealed class MqttExternalOptions
{
    /// <summary>Host and port, e.g. <c>broker.example:8883</c>.</summary>
    public string Address { get; set; } = "";

    /// <summary>User name of the hub at the broker.</summary>
    public string User { get; set; } = "";

    /// <summary>File that holds the hub's password at the broker; line ends around it are ignored.</summary>
    public string SecretFile { get; set; } = "";

    /// <summary>
    /// Client identifier: names the session that keeps readings while the hub is away, so it must stay the same over restarts and differ between hubs
    /// (default <c>hub-1</c>).
    /// </summary>
    public string ClientId { get; set; } = "hub-1";

    /// <summary>Name of the shared subscription; hubs with the same name share the readings (default <c>hub</c>).</summary>
    public string ShareName { get; set; } = "hub";

    /// <summary>Whether to speak TLS. Must be true unless the broker is on a loopback address.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file with the authorities to trust instead of the system's; empty for the system's.</summary>
    public string CertificateAuthorityFile { get; set; } = "";

    /// <summary>Most readings messages received and not yet acknowledged, 1 to 1,024 (default 64): the MQTT receive maximum. More is faster and holds more memory.</summary>
    public int ReceiveMaximum { get; set; } = 64;

    /// <summary>How long the broker keeps readings for a hub that is away, 1 min to 100 years in whole seconds (default 7 days).</summary>
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromDays(7);

    /// <summary>First wait before connecting again or trying the store again, 100 ms to 1 h (default 1 s); it doubles up to <see cref="RetryMax"/>.</summary>
    public TimeSpan RetryMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest such wait, <see cref="RetryMin"/> to 1 h (default 30 s).</summary>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromSeconds(30);
}
