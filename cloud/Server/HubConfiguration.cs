using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server;

/// <summary>Gathers settings: command line over environment over file over defaults.</summary>
internal static partial class HubConfiguration
{
    private static readonly (string Environment, string Key)[] Short =
    [
        ("HUB_DATA", "Hub:Data"),
        ("HUB_HTTP", "Hub:Http:Endpoint"),
        ("HUB_MQTT", "Hub:Mqtt:Endpoint"),
        ("HUB_PUBLICURL", "Hub:PublicUrl"),
    ];

    /// <summary>What <c>http</c> and <c>mqtt</c> alone mean.</summary>
    internal static IReadOnlyList<string> Endpoints { get; } = ["Hub:Http:Endpoint", "Hub:Mqtt:Endpoint"];

    /// <summary>Builds the configuration from the command line and the environment of this process.</summary>
    /// <exception cref="StartException">A key is no setting, the file cannot be read, the folder cannot be written, or an endpoint is malformed.</exception>
    public static IConfigurationRoot Build(IEnumerable<KeyValuePair<string, string?>> commandLine, string? settingsFile) =>
        Build(
            commandLine,
            settingsFile,
            Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value)));

    /// <summary>Builds the configuration and makes sure that <c>Hub:Data</c> and <c>Hub:Database</c> are absolute paths in a folder that can be written.</summary>
    /// <param name="commandLine">Keys given on the command line; null values are left out.</param>
    /// <param name="settingsFile">File named on the command line; null looks at HUB_SETTINGS, then for <c>hub.json</c> in the data folder.</param>
    /// <param name="variables">Environment variables; those that do not begin with <c>HUB_</c> are left out, an empty one counts as not set.</param>
    /// <exception cref="StartException">A key is no setting, the file cannot be read, the folder cannot be written, or an endpoint is malformed.</exception>
    public static IConfigurationRoot Build(
        IEnumerable<KeyValuePair<string, string?>> commandLine, string? settingsFile, IEnumerable<KeyValuePair<string, string?>> variables)
    {
        var given = commandLine.Where(pair => pair.Value is not null).ToDictionary(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in given)
        {
            Demand(key, value, $"--set {key} is no setting of the hub.", known => known);
        }

        var environment = FromEnvironment(variables, out var environmentFile);
        var named = settingsFile ?? environmentFile;
        if (named is not null && !File.Exists(named))
        {
            throw new StartException($"The settings file {named} does not exist. Create it, or leave {(settingsFile is null ? "HUB_SETTINGS" : "--settings")} away.");
        }

        var file = named is null ? [] : FromFile(named);
        var folder = given.GetValueOrDefault("Hub:Data") ?? environment.GetValueOrDefault("Hub:Data") ?? file.GetValueOrDefault("Hub:Data") ?? new HubSettings().Data;
        var data = folder.Length > 0 ? Path.GetFullPath(folder) : throw new StartException("The data folder is empty. Name one with --data, or leave --data away.");
        EnsurePrivateAndWritable(data);
        if (named is null && Path.Combine(data, "hub.json") is var usual && File.Exists(usual))
        {
            file = FromFile(usual);
        }

        given["Hub:Data"] = data;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(file).AddInMemoryCollection(environment).AddInMemoryCollection(given).Build();
        configuration["Hub:Database"] ??= Path.Combine(data, "hub.db");

        // In full from here on, so that a port alone and localhost mean the same to every stage. An empty MQTT endpoint is a broker with TLS only.
        foreach (var key in Endpoints)
        {
            if (configuration[key] is { } text && (text.Length > 0 || key == "Hub:Http:Endpoint"))
            {
                configuration[key] = ParseEndpoint(text, key).ToString();
            }
        }

        return configuration;
    }

    /// <summary>Parses <c>address:port</c>, <c>[v6]:port</c>, <c>localhost:port</c> or a bare port (loopback).</summary>
    /// <exception cref="StartException">It is none of these.</exception>
    public static IPEndPoint ParseEndpoint(string text, string key)
    {
        var colon = text.LastIndexOf(':');
        if (ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            var host = colon < 0 || text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" : text[..colon];
            var bracketed = host.StartsWith('[') && host.EndsWith(']');
            if (IPAddress.TryParse(host, out var address) && bracketed == (address.AddressFamily == AddressFamily.InterNetworkV6) && (bracketed || host.Count(c => c == '.') == 3))
            {
                return new IPEndPoint(address, port);
            }
        }

        throw new StartException($"{key} is '{text}': expected an address and a port such as 127.0.0.1:8080, or a port alone.");
    }

    /// <summary>The key with its prefix; <c>http</c> and <c>mqtt</c> alone mean what the options <c>--http</c> and <c>--mqtt</c> mean.</summary>
    internal static string InFull(string key)
    {
        var full = key.StartsWith("Hub:", StringComparison.OrdinalIgnoreCase) ? key : $"Hub:{key}";
        return Endpoints.FirstOrDefault(endpoint => endpoint.Equals($"{full}:Endpoint", StringComparison.OrdinalIgnoreCase)) ?? full;
    }

    private static void Demand(string key, string? value, string what, Func<string, string> spell)
    {
        if (HubKeys.Mistake(key, value, spell) is { } mend)
        {
            throw new StartException($"{what} {mend}");
        }
    }

    private static string Variable(string key) =>
        Array.Find(Short, s => s.Key == key).Environment ?? $"HUB_{key["Hub".Length..].TrimStart(':').Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()}";

    private static string Place(string file, string key) =>
        HubKeys.Line(File.ReadAllBytes(file), key) is { } line ? string.Create(CultureInfo.InvariantCulture, $" line {line}") : "";

    /// <summary>What a settings file says, by full keys.</summary>
    /// <exception cref="StartException">It cannot be read, or has a key that is no setting.</exception>
    internal static Dictionary<string, string?> FromFile(string file)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        try
        {
            // The file says http.endpoint, the environment HUB_HTTP__ENDPOINT: both mean Hub:Http:Endpoint.
            foreach (var (written, value) in new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file), optional: false).Build().AsEnumerable().Where(p => p.Value is not null))
            {
                var key = InFull(written);
                Demand(key, value, $"{file}{Place(file, written)}: {written} is no setting of the hub.", known => known["Hub:".Length..]);
                values[key] = value;
            }
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The settings file {file} cannot be read: {exception.GetBaseException().Message} Correct it, or give another one with --settings.", exception);
        }

        return values;
    }

    private static Dictionary<string, string?> FromEnvironment(IEnumerable<KeyValuePair<string, string?>> variables, out string? settingsFile)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var shortNames = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        settingsFile = null;
        foreach (var (name, value) in variables)
        {
            if (string.IsNullOrEmpty(value) || !name.StartsWith("HUB_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("HUB_AGENT_", StringComparison.OrdinalIgnoreCase)
                || ServiceLink().IsMatch(name))
            {
                continue;
            }

            if (name.Equals("HUB_SETTINGS", StringComparison.OrdinalIgnoreCase))
            {
                settingsFile = value;
            }
            else if (Array.Find(Short, s => s.Environment.Equals(name, StringComparison.OrdinalIgnoreCase)) is { Key: { } meant })
            {
                shortNames[meant] = value;
            }
            else
            {
                var key = InFull(name[4..].Replace("__", ":", StringComparison.Ordinal));
                Demand(key, value, $"The environment variable {name} is no setting of the hub.", Variable);
                values[key] = value;
            }
        }

        foreach (var (key, value) in shortNames)
        {
            values[key] = value;
        }

        return values;
    }

    // What Kubernetes puts into every container of a namespace with a service called "hub": HUB_PORT, HUB_SERVICE_HOST, HUB_PORT_8080_TCP_ADDR. Nobody set them for us.
    [GeneratedRegex("^HUB_(PORT|PORT_[0-9]+_(TCP|UDP)(_(ADDR|PORT|PROTO))?|SERVICE_(HOST|PORT(_[A-Z0-9_]+)?))$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ServiceLink();

    private static void EnsurePrivateAndWritable(string folder)
    {
        if (File.Exists(folder))
        {
            throw new StartException($"The data folder {folder} is a file. Give a folder with --data.");
        }

        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else if (!Directory.Exists(folder))
            {
                // It holds password hashes and the keys of sessions: for its owner only. A folder that was there keeps the mode its owner gave it.
                Directory.CreateDirectory(Path.GetDirectoryName(folder) ?? folder);
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

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
