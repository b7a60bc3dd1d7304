using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Update;

/// <summary>Updates of the agent. Section <c>Agent:Update</c>. Cannot be set from the hub.</summary>
public sealed class UpdateOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Agent:Update";

    /// <summary>False to install nothing, whatever the hub wants. Default true; without <see cref="KeyFiles"/> nothing is installed either.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>PEM files with the public keys (ECDSA, P-256) whose signatures are believed, at most 16; read again at each update. One good signature is enough. None: nothing is installed.</summary>
    [DataType("path")]
    public IList<string> KeyFiles { get; } = [];

    /// <summary>Folder of the two slots, the switch between them and the download; absolute. The agent writes here and must run from one of its slots. Default <c>/opt/hub-agent</c>.</summary>
    [DataType("path")]
    public string Root { get; set; } = "/opt/hub-agent";

    /// <summary>PEM file with the certificates of the authorities that alone are believed of the hub's pages; default: <c>hub.caFile</c>, else those of the operating system.</summary>
    [DataType("path")]
    public string? CaFile { get; set; }

    /// <summary>Most bytes a second of a download, 1,000 to 1,000,000,000; 0 (default) for no limit. A low one leaves a thin line to the readings.</summary>
    public long Bandwidth { get; set; }

    /// <summary>First pause after a download that failed, 1 s to 1 hour, default 5 s; doubles up to <see cref="RetryDelayMax"/>.</summary>
    public TimeSpan RetryDelayMin { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause after a download that failed, up to 1 day, default 1 hour.</summary>
    public TimeSpan RetryDelayMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Longest silence of a server, 1 s to 10 minutes, default 1 minute; then the download is begun again where it is.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(1);

    internal bool IsOn => Enabled && KeyFiles.Count > 0;
}

/// <summary>Checks <see cref="UpdateOptions"/>; each message begins with the full key.</summary>
internal sealed class UpdateOptionsValidator : IValidateOptions<UpdateOptions>
{
    private const int KeyFilesMax = 16;

    public ValidateOptionsResult Validate(string? name, UpdateOptions options)
    {
        var failures = new List<string>();
        if (options.KeyFiles.Count > KeyFilesMax)
        {
            failures.Add($"{UpdateOptions.Section}:KeyFiles has {options.KeyFiles.Count} entries; give at most {KeyFilesMax}.");
        }

        for (var i = 0; i < options.KeyFiles.Count; i++)
        {
            if (options.Enabled && TrustedKeys.Mistake(options.KeyFiles[i]) is { } mistake)
            {
                failures.Add($"{UpdateOptions.Section}:KeyFiles:{i} {mistake}");
            }
        }

        if (!Path.IsPathRooted(options.Root))
        {
            failures.Add($"{UpdateOptions.Section}:Root is '{options.Root}'; give an absolute folder such as /opt/hub-agent.");
        }

        if (options.CaFile is { Length: > 0 } authorities && !File.Exists(authorities))
        {
            failures.Add($"{UpdateOptions.Section}:CaFile '{authorities}' does not exist.");
        }

        if (options.Bandwidth is not (0 or (>= 1_000 and <= 1_000_000_000)))
        {
            failures.Add($"{UpdateOptions.Section}:Bandwidth is {options.Bandwidth}; give 1000 to 1000000000 bytes a second, or 0 for no limit.");
        }

        Span(nameof(options.RetryDelayMin), options.RetryDelayMin, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Span(nameof(options.RetryDelayMax), options.RetryDelayMax, options.RetryDelayMin, TimeSpan.FromDays(1));
        Span(nameof(options.StallTimeout), options.StallTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Span(string key, TimeSpan value, TimeSpan from, TimeSpan to)
        {
            if (value < from || value > to)
            {
                failures.Add($"{UpdateOptions.Section}:{key} is {value}; give {from} to {to}.");
            }
        }
    }
}
