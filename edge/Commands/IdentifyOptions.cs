using Microsoft.Extensions.Options;

namespace Hub.Edge.Commands;

/// <summary>What blinks when the hub asks the station to show itself. Section <c>Agent:Identify</c>.</summary>
public sealed class IdentifyOptions
{
    /// <summary>Section the options are bound from.</summary>
    public const string Section = "Agent:Identify";

    /// <summary>GPIO line of a light, by its BCM number, 0 to 1023; default none: the board's own light.</summary>
    public int? Pin { get; set; }

    /// <summary>True for a light on <see cref="Pin"/> that is on while the line is low.</summary>
    public bool ActiveLow { get; set; }

    /// <summary>Name of a light below <c>/sys/class/leds</c>; default the board's activity light, <c>ACT</c> or <c>led0</c>. Goes for nothing with <see cref="Pin"/>.</summary>
    public string? Led { get; set; }
}

/// <summary>Checks <see cref="IdentifyOptions"/>.</summary>
internal sealed class IdentifyOptionsValidator : IValidateOptions<IdentifyOptions>
{
    private const int NameCharactersMax = 64;

    public ValidateOptionsResult Validate(string? name, IdentifyOptions options)
    {
        var failures = new List<string>();
        if (options.Pin is < 0 or > 1023)
        {
            failures.Add($"{IdentifyOptions.Section}:Pin is {options.Pin}; give a GPIO line by its BCM number, 0 to 1023.");
        }

        if (options.Led is { } led && (led.Length is 0 or > NameCharactersMax || !led.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '_' or '-')))
        {
            failures.Add($"{IdentifyOptions.Section}:Led is '{led}'; give the name of a folder in /sys/class/leds, for instance ACT.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
