using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Hub.Cloud.Server.Demo;

/// <summary>What firmware-config/demo says of the demonstration, read at run time.</summary>
internal sealed class DemoFiles
{
    private static readonly IDeserializer Yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build();

    private DemoFiles(string folder) => Folder = folder;

    /// <summary>The folder itself.</summary>
    public string Folder { get; }

    /// <summary>The municipalities.</summary>
    public required IReadOnlyList<DemoMunicipality> Municipalities { get; init; }

    /// <summary>The threshold rules.</summary>
    public required IReadOnlyList<DemoRule> Rules { get; init; }

    /// <summary>The station files, with what the hub must know of each.</summary>
    public required IReadOnlyList<DemoStation> Stations { get; init; }

    /// <summary>Reads the folder beside the program.</summary>
    /// <exception cref="StartException">It is missing or damaged.</exception>
    public static DemoFiles Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new StartException($"The demonstration's files are missing: {folder}. Build the hub again.");
        }

        try
        {
            return new DemoFiles(folder)
            {
                Municipalities = Load<MunicipalitiesFile>(Path.Combine(folder, "municipalities.yaml")).Municipalities,
                Rules = Load<RulesFile>(Path.Combine(folder, "rules.yaml")).Rules,
                Stations = [.. Directory.EnumerateFiles(Path.Combine(folder, "stations"), "*.yaml", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(file => Load<DemoStation>(file) with { File = file })],
            };
        }
        catch (Exception exception) when (exception is YamlDotNet.Core.YamlException or IOException)
        {
            throw new StartException($"The demonstration's files cannot be read: {exception.Message}", exception);
        }
    }

    private static T Load<T>(string file)
    {
        using var reader = File.OpenText(file);
        return Yaml.Deserialize<T>(reader) ?? throw new IOException($"{file} is empty.");
    }

    private sealed record MunicipalitiesFile
    {
        public List<DemoMunicipality> Municipalities { get; init; } = [];
    }

    private sealed record RulesFile
    {
        public List<DemoRule> Rules { get; init; } = [];
    }
}

/// <summary>One municipality of the demonstration.</summary>
internal sealed record DemoMunicipality
{
    public string Slug { get; init; } = "";

    public string Name { get; init; } = "";

    public string Region { get; init; } = "";

    public string Code { get; init; } = "";

    public double Latitude { get; init; }

    public double Longitude { get; init; }

    public string Zone { get; init; } = "Europe/Lisbon";
}

/// <summary>One threshold rule of the demonstration.</summary>
internal sealed record DemoRule
{
    public string Municipality { get; init; } = "";

    public string Slug { get; init; } = "";

    public string NamePt { get; init; } = "";

    public string NameEn { get; init; } = "";

    public string Severity { get; init; } = "warning";

    public string Property { get; init; } = "";

    public string? Station { get; init; }

    public string? Sensor { get; init; }

    public int? PeriodSeconds { get; init; }

    public string Crossing { get; init; } = "above";

    public double SetLevel { get; init; }

    public double ClearLevel { get; init; }

    public TimeSpan For { get; init; }
}

/// <summary>What the hub must know of a station; the rest of the file is the agent's.</summary>
internal sealed record DemoStation
{
    public string File { get; init; } = "";

    public string Municipality { get; init; } = "";

    public string Station { get; init; } = "";

    public string Name { get; init; } = "";

    public string Attribution { get; init; } = "";

    public DemoPlace Location { get; init; } = new();
}

/// <summary>A place, WGS 84.</summary>
internal sealed record DemoPlace
{
    public double Latitude { get; init; }

    public double Longitude { get; init; }
}
