using System.Text.Json;

namespace Hub.Cloud.Server.Demo;

/// <summary>
/// What the demonstration must remember between starts: when it first started (its replay goes on from there) and the secrets of its own people and
/// subscribers. A real hub keeps only hashes; this file exists for the demonstration alone, readable by its owner only.
/// </summary>
internal sealed record DemoState
{
    /// <summary>UTC instant of the first start: the anchor of every replay.</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>Password by user name.</summary>
    public Dictionary<string, string> Passwords { get; init; } = [];

    /// <summary>Station secret by <c>municipality/station</c>.</summary>
    public Dictionary<string, string> StationSecrets { get; init; } = [];

    /// <summary>Signing secret of the built-in webhook receiver.</summary>
    public string WebhookSecret { get; init; } = "";

    /// <summary>Password of the MQTT user that reads the alarm topics.</summary>
    public string ReaderSecret { get; init; } = "";

    /// <summary>Reads the state, or makes a new one.</summary>
    /// <exception cref="StartException">The file is damaged.</exception>
    public static DemoState Load(string file, DateTime now)
    {
        if (File.Exists(file))
        {
            try
            {
                var state = JsonSerializer.Deserialize<DemoState>(File.ReadAllBytes(file), JsonSerializerOptions.Web);
                return state is { Whole: true } ? state : throw new JsonException("something is missing");
            }
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
            {
                throw new StartException($"{file} cannot be read ({exception.Message}). Remove the folder it is in to begin the demonstration anew.", exception);
            }
        }

        return new DemoState
        {
            StartedAt = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc),
            WebhookSecret = "whsec_" + Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)),
            ReaderSecret = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)),
        };
    }

    private bool Whole =>
        StartedAt is { Kind: DateTimeKind.Utc, Ticks: > 0 } && Passwords is not null && StationSecrets is not null && !string.IsNullOrEmpty(ReaderSecret)
        && WebhookSecret?.StartsWith("whsec_", StringComparison.Ordinal) == true && Convert.TryFromBase64String(WebhookSecret["whsec_".Length..], new byte[64], out var length) && length > 0;

    /// <summary>Writes the state whole or not at all.</summary>
    public void Save(string file)
    {
        var draft = file + ".new";
        File.Delete(draft);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(draft, options))
        {
            JsonSerializer.Serialize(stream, this, JsonSerializerOptions.Web);
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, file, overwrite: true);
    }
}
