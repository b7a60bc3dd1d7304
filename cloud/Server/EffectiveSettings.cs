using System.Text.RegularExpressions;
using Hub.Cloud.Database;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server;

/// <summary>What the hub was told, for the log at start: one key per line, secrets hidden by the name of their key.</summary>
internal static partial class EffectiveSettings
{
    /// <summary>Key and value of everything that was set, in order of key.</summary>
    public static IEnumerable<(string Key, string Value)> Of(IConfiguration configuration) =>
        from pair in configuration.AsEnumerable()
        where pair.Value is not null && pair.Key.StartsWith("Hub:", StringComparison.OrdinalIgnoreCase)
        orderby pair.Key
        select (pair.Key, Secret().IsMatch(pair.Key) ? "(hidden)"
            // Whoever writes the password into it all the same does not read it in the log.
            : string.Equals(pair.Key, "Hub:Database", StringComparison.OrdinalIgnoreCase) && HubDatabase.IsPostgreSql(configuration) ? HubDatabase.Describe(configuration)
            : pair.Value);

    // A file that holds a secret is no secret: its path is shown. What is sent along as a header mostly opens something.
    [GeneratedRegex("(password|secret|token|apikey|connectionstring)(?!file)|:headers:", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Secret();
}
