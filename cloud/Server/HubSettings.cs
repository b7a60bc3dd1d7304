using System.Net;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server;

/// <summary>The server's own settings, bound from <c>Hub:</c>. Immutable after start.</summary>
public sealed class HubSettings
{
    /// <summary>Folder of everything the hub stores. Default <c>hub-data</c> in the current folder.</summary>
    public string Data { get; init; } = "hub-data";

    /// <summary>Web pages and API.</summary>
    public HttpSettings Http { get; init; } = new();

    /// <summary>Address under which people reach the hub, used in mails; default the HTTP endpoint.</summary>
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

    /// <summary>PEM private key of <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>A setting or the machine does not let the hub start: one line for the user, no stack trace, exit code 2.</summary>
public sealed class StartException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>Gathers settings: command line over environment over file over defaults.</summary>
internal static class HubConfiguration
{
    private static readonly (string Environment, string Key)[] Short =
    [
        ("HUB_DATA", "Hub:Data"),
        ("HUB_HTTP", "Hub:Http:Endpoint"),
        ("HUB_MQTT", "Hub:Mqtt:Endpoint"),
        ("HUB_PUBLICURL", "Hub:PublicUrl"),
    ];

    /// <summary>Builds the configuration and makes sure that <c>Hub:Data</c> and <c>Hub:Database</c> are absolute paths in a folder that can be written.</summary>
    /// <param name="commandLine">Keys given on the command line; null values are left out.</param>
    /// <param name="settingsFile">File named on the command line; null looks at HUB_SETTINGS, then for <c>hub.json</c> in the data folder.</param>
    /// <exception cref="StartException">The file cannot be read, or the folder cannot be written.</exception>
    public static IConfigurationRoot Build(IEnumerable<KeyValuePair<string, string?>> commandLine, string? settingsFile)
    {
        var given = commandLine.Where(pair => pair.Value is not null).ToDictionary(StringComparer.OrdinalIgnoreCase);
        var environment = FromEnvironment();
        var data = Path.GetFullPath(
            given.GetValueOrDefault("Hub:Data") ?? environment.GetValueOrDefault("Hub:Data") ?? FileData(settingsFile) ?? new HubSettings().Data);
        var file = settingsFile ?? Environment.GetEnvironmentVariable("HUB_SETTINGS") ?? Path.Combine(data, "hub.json");
        var named = settingsFile is not null || Environment.GetEnvironmentVariable("HUB_SETTINGS") is not null;
        if (named && !File.Exists(file))
        {
            throw new StartException($"The settings file {file} does not exist. Create it, or leave --settings away.");
        }

        EnsureWritable(data);
        given["Hub:Data"] = data;
        var builder = new ConfigurationBuilder();
        try
        {
            builder.AddInMemoryCollection(FromFile(file))
                .AddInMemoryCollection(environment)
                .AddInMemoryCollection(given);
            var configuration = builder.Build();
            configuration["Hub:Database"] ??= Path.Combine(data, "hub.db");
            return configuration;
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The settings file {file} cannot be read: {exception.InnerException?.Message ?? exception.Message}", exception);
        }
    }

    /// <summary>Parses <c>address:port</c>, <c>[v6]:port</c> or a bare port (loopback).</summary>
    /// <exception cref="StartException">It is neither.</exception>
    public static IPEndPoint ParseEndpoint(string text, string key)
    {
        if (int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535)
        {
            return new IPEndPoint(IPAddress.Loopback, port);
        }

        var value = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? string.Concat("127.0.0.1", text.AsSpan(9)) : text;
        return value.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(value, out var endpoint)
            ? endpoint
            : throw new StartException($"{key} is '{text}': expected an address and a port such as 127.0.0.1:8080, or a port alone.");
    }

    private static string? FileData(string? settingsFile)
    {
        var file = settingsFile ?? Environment.GetEnvironmentVariable("HUB_SETTINGS");
        return file is not null && File.Exists(file) ? FromFile(file).GetValueOrDefault("Hub:Data") : null;
    }

    private static Dictionary<string, string?> FromFile(string file)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (File.Exists(file))
        {
            // The file says http.endpoint, the environment HUB_HTTP__ENDPOINT: both mean Hub:Http:Endpoint.
            foreach (var pair in new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file), optional: false).Build().AsEnumerable().Where(p => p.Value is not null))
            {
                values[pair.Key.StartsWith("Hub:", StringComparison.OrdinalIgnoreCase) ? pair.Key : $"Hub:{pair.Key}"] = pair.Value;
            }
        }

        return values;
    }

    private static Dictionary<string, string?> FromEnvironment()
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (name.StartsWith("HUB_", StringComparison.OrdinalIgnoreCase) && !name.StartsWith("HUB_AGENT_", StringComparison.OrdinalIgnoreCase)
                && !name.Equals("HUB_SETTINGS", StringComparison.OrdinalIgnoreCase))
            {
                values[$"Hub:{name[4..].Replace("__", ":", StringComparison.Ordinal)}"] = (string?)entry.Value;
            }
        }

        foreach (var (variable, key) in Short)
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value)
            {
                values.Remove($"Hub:{variable[4..]}");
                values[key] = value;
            }
        }

        return values;
    }

    private static void EnsureWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, string.Empty);
            File.Delete(probe);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The data folder {folder} cannot be written ({exception.Message}). Give another one with --data, or change its permissions.", exception);
        }
    }
}
