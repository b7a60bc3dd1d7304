namespace Hub.Cloud.Server;

/// <summary>The server's own settings, bound from <c>Hub:</c>. Immutable after start.</summary>
public sealed class HubSettings
{
    /// <summary>Folder of everything the hub stores. Default <c>hub-data</c> in the current folder.</summary>
    public string Data { get; init; } = "hub-data";

    /// <summary>Web pages and API.</summary>
    public HttpSettings Http { get; init; } = new();

    /// <summary>Address under which people reach the hub, used in mails; default the HTTP endpoint, or with HTTPS the first name of the certificate and its port.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>Whether <c>/metrics</c> answers callers from other machines without a login. Default false.</summary>
    public bool MetricsPublic { get; init; }

    /// <summary>Time the hub may take to stop cleanly. Default 4 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(4);
}

/// <summary>Where pages and API are served.</summary>
public sealed class HttpSettings
{
    /// <summary>Address and port, <c>127.0.0.1:8080</c> by default. Anything but loopback needs <see cref="CertificateFile"/>.</summary>
    public string Endpoint { get; init; } = "127.0.0.1:8080";

    /// <summary>PEM certificate chain for HTTPS; empty serves plain HTTP on loopback only.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>
    /// Names under which clients may ask, such as <c>hub.example.org</c> or <c>*.example.org</c>, without a port; a request for another one is answered 400. The host of <see cref="HubSettings.PublicUrl"/>,
    /// where it is set, is always one. Default empty: any name.
    /// </summary>
    public string[] Hosts { get; init; } = [];

    /// <summary>
    /// How long browsers, once they have seen the hub over its own HTTPS, refuse to speak plain HTTP with the host's name, on any port (RFC 6797); 0 to 730 days, 0 says nothing. Default 30 days.
    /// </summary>
    public TimeSpan HstsMaxAge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>PEM private key of <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>A setting or the machine does not let the hub start: one line for the user, no stack trace, exit code 2.</summary>
public sealed class StartException(string message, Exception? innerException = null) : Exception(message, innerException);
