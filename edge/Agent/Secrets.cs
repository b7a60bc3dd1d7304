using Hub.Edge.Uplink;

namespace Hub.Edge.Agent;

/// <summary>The secrets that this station knows, to be struck out of what leaves it.</summary>
internal static class Secrets
{
    /// <summary>Shorter ones would strike out words.</summary>
    private const int CharactersMin = 4;

    /// <summary>Every secret in the settings, in the files they name, and given by the hub; the longest first.</summary>
    public static IReadOnlyList<string> Of(AgentConfiguration configuration)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in configuration.Sources.Keys.Where(EffectiveSettings.IsSecret))
        {
            Add(configuration.Configuration[$"{AgentOptions.Section}:{key}"]);
        }

        var folder = CredentialsIn(configuration.Data).Path;
        foreach (var path in (string?[])[configuration.Configuration[$"{HubOptions.Section}:SecretFile"], .. Directory.Exists(folder) ? Directory.GetFiles(folder) : []])
        {
            try
            {
                if (!string.IsNullOrEmpty(path))
                {
                    Add(File.ReadLines(path).FirstOrDefault()?.Trim());
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What the agent cannot read it cannot have logged.
            }
        }

        return [.. found.OrderByDescending(secret => secret.Length)];

        void Add(string? secret)
        {
            if (secret is { Length: >= CharactersMin })
            {
                found.Add(secret);
            }
        }
    }

    /// <summary>Where a data folder keeps what the hub gave.</summary>
    public static CredentialsFolder CredentialsIn(string data) => new(Path.Combine(data, "credentials"));
}
