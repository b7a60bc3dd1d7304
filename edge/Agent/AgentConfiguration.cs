using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Agent;

/// <summary>What the command line says; null where it says nothing.</summary>
internal sealed record AgentArguments
{
    public const string StationFileDefault = "station.yaml";

    public string StationFile { get; init; } = StationFileDefault;

    public string? Data { get; init; }

    public string? Hub { get; init; }

    public string? SecretFile { get; init; }

    public string? Anchor { get; init; }

    public string? History { get; init; }

    public string? LogLevel { get; init; }

    public bool ExitWithStdin { get; init; }

    /// <summary><c>key=value</c>, the key as in the station file: <c>uplink.window=4</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];
}

/// <summary>The settings in force: command line over environment over what the hub wants over station file over defaults.</summary>
/// <param name="File">The station file.</param>
/// <param name="Data">Folder of everything the agent writes, absolute.</param>
/// <param name="Configuration">All settings, below <c>Agent</c>.</param>
/// <param name="Sources">Where each key given by someone comes from.</param>
/// <param name="Warnings">What looks like a mistake but stops nothing.</param>
/// <param name="Hub">What the hub wants; null for nothing.</param>
internal sealed record AgentConfiguration(
    StationFile File, string Data, IConfiguration Configuration, IReadOnlyDictionary<string, string> Sources, IReadOnlyList<string> Warnings, TwinOverlay? Hub)
{
    public const string EnvironmentPrefix = "HUB_AGENT_";

    /// <summary>Short names of the environment and the keys they stand for.</summary>
    private static readonly Dictionary<string, string> EnvironmentNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["SECRET"] = "hub:secret",
        ["SECRET_FILE"] = "hub:secretFile",
        ["DATA"] = "data",
        ["HUB"] = "hub",
        ["ANCHOR"] = "replay:anchor",
        ["HISTORY"] = "replay:history",
        ["LOG_LEVEL"] = "logLevel",
    };

    public string? LogLevel => Configuration["Agent:LogLevel"];

    /// <summary>Says where what a message is about was given: by the hub, or in the station file with line and column.</summary>
    public string Locate(string message) => Hub?.Locate(message) is { } located && located != message ? located : File.Locate(message);

    /// <summary>Puts the settings together.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="workingFolder">What relative paths of command line and environment start from, absolute.</param>
    /// <param name="hub">What the hub wants; null for nothing.</param>
    /// <exception cref="ConfigurationException">The station file or a setting is wrong.</exception>
    public static AgentConfiguration Build(AgentArguments arguments, IDictionary environment, string workingFolder, TwinOverlay? hub = null)
    {
        var filePath = Path.GetFullPath(arguments.StationFile, workingFolder);
        var file = StationFile.Read(filePath) with { Path = arguments.StationFile };
        var fileFolder = Path.GetDirectoryName(filePath)!;
        var settings = new Layers();
        settings.Add("default", "replay:folder", fileFolder);
        foreach (var (key, value) in file.Values)
        {
            settings.Add("file", key, StationSchema.IsPath(key) ? Path.GetFullPath(value!, fileFolder) : value);
        }

        if (hub is not null)
        {
            foreach (var list in hub.Lists)
            {
                settings.Remove(list);
            }

            foreach (var (key, value) in hub.Values)
            {
                settings.Add(hub.Source, key, value);
            }
        }

        var warnings = new List<string>();
        foreach (var (name, key, value) in FromEnvironment(environment, warnings))
        {
            Set(settings, name, key, value, workingFolder);
        }

        foreach (var (option, key, value) in new[]
        {
            ("--data", "data", arguments.Data), ("--hub", "hub", arguments.Hub), ("--secret-file", "hub:secretFile", arguments.SecretFile),
            ("--anchor", "replay:anchor", arguments.Anchor), ("--history", "replay:history", arguments.History), ("--log-level", "logLevel", arguments.LogLevel),
        })
        {
            if (value is not null)
            {
                Set(settings, option, key, value, workingFolder);
            }
        }

        foreach (var setting in arguments.Settings)
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 1 ? "" : setting[..equals].Replace('.', ':').Replace("[", ":", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
            if (equals < 1 || !StationSchema.TryFind(key, out _))
            {
                throw new ConfigurationException($"--set {setting}: give key=value with a key of the station file, for instance uplink.window=4.");
            }

            if (string.Equals(key, "hub:secret", StringComparison.OrdinalIgnoreCase))
            {
                throw new ConfigurationException("--set hub.secret: other users of the machine can read a command line; give --secret-file or HUB_AGENT_SECRET.");
            }

            Set(settings, "--set", key, setting[(equals + 1)..], workingFolder);
        }

        var data = settings.Get("data") ?? Path.Combine(fileFolder, "agent-data");
        settings.Add(settings.SourceOf("data"), "data", data);
        if (settings.Get("outbox:folder") is null || settings.SourceOf("data") != "default")
        {
            // A data folder named by whoever starts the agent holds everything of it; only then may many agents share read-only station files.
            if (settings.SourceOf("outbox:folder") is "default" or "file")
            {
                settings.Add(settings.SourceOf("data"), "outbox:folder", Path.Combine(data, "outbox"));
            }
        }

        return new AgentConfiguration(file, data, settings.Build(), settings.Sources, warnings, hub);
    }

    /// <summary>Applies a setting of the environment or the command line, with what goes with it.</summary>
    private static void Set(Layers settings, string source, string key, string value, string workingFolder)
    {
        switch (key)
        {
            case "data":
                settings.Add(source, "data", Path.GetFullPath(value, workingFolder));
                return;
            case "hub":
                var colon = value.LastIndexOf(':');
                if (colon < 1 || !int.TryParse(value[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                {
                    throw new ConfigurationException($"{source} {value}: expected HOST:PORT, for instance 127.0.0.1:1883.");
                }

                settings.Add(source, "hub:address", value[..colon].Trim('[', ']'));
                settings.Add(source, "hub:port", value[(colon + 1)..]);
                return;
            case "logLevel":
                settings.Add(source, key, value);
                return;
        }

        if (StationSchema.TryFind(key, out var schema) && schema.TryGetProperty("type", out var type) && type.GetString() is not ("object" or "array")
            && StationSchema.Mistake(schema, value, plain: true) is { } expected)
        {
            throw new ConfigurationException($"{source}: {key.Replace(':', '.')}: expected {expected}, found \"{value}\"");
        }

        settings.Add(source, key, StationSchema.IsPath(key) ? Path.GetFullPath(value, workingFolder) : value);
        if (string.Equals(key, "hub:secret", StringComparison.OrdinalIgnoreCase))
        {
            // The file goes before an inline secret, but not one named by a weaker source before this one.
            settings.Add(source, "hub:secretFile", "");
        }
    }

    private static IEnumerable<(string Name, string Key, string Value)> FromEnvironment(IDictionary environment, List<string> warnings)
    {
        var found = new List<(string Name, string Key, string Value)>();
        foreach (DictionaryEntry entry in environment)
        {
            if (entry.Key is not string name || !name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase) || entry.Value is not string { Length: > 0 } value)
            {
                continue;
            }

            var rest = name[EnvironmentPrefix.Length..];
            if (EnvironmentNames.TryGetValue(rest, out var key) || StationSchema.TryFind(key = rest.Replace("__", ":", StringComparison.Ordinal), out _))
            {
                found.Add((name, key, value));
            }
            else
            {
                warnings.Add($"The environment variable {name} names no setting and is ignored.");
            }
        }

        // In a fixed order, and the secret itself last: given here, it goes before a file.
        return found.OrderBy(setting => setting.Key == "hub:secret").ThenBy(setting => setting.Name, StringComparer.Ordinal);
    }

    private sealed class Layers
    {
        private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);

        public Dictionary<string, string> Sources { get; } = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>Later calls go over earlier ones.</summary>
        public void Add(string source, string key, string? value)
        {
            _values[key] = value;
            Sources[key] = source;
        }

        /// <summary>Takes a list out whole, with everything below it.</summary>
        public void Remove(string list)
        {
            foreach (var key in _values.Keys.Where(key => key.StartsWith(list + ":", StringComparison.OrdinalIgnoreCase)).ToArray())
            {
                _values.Remove(key);
                Sources.Remove(key);
            }
        }

        public string? Get(string key) => _values.GetValueOrDefault(key);

        public string SourceOf(string key) => Sources.GetValueOrDefault(key, "default");

        public IConfiguration Build() =>
            new ConfigurationBuilder().AddInMemoryCollection(_values.Select(value => KeyValuePair.Create($"{AgentOptions.Section}:{value.Key}", value.Value))).Build();
    }
}
