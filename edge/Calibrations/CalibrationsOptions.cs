using Hub.Edge.Sensors;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Calibrations;

/// <summary>How calibrations are looked after. Keys <c>Agent:Calibrations:...</c>; <c>calibrationDue</c> of a sensor goes before it.</summary>
public sealed class CalibrationsOptions
{
    /// <summary>Section the options are bound from.</summary>
    public const string Section = "Agent:Calibrations";

    /// <summary>How long after a calibration the next is due, zero for never, up to 10 years. Default by the kind of sensor, see the README of this stage.</summary>
    public TimeSpan? DueAfter { get; set; }

    /// <summary>How often a running agent looks for new calibrations, 1 s to 1 day; default 10 s. One look at a folder's time.</summary>
    public TimeSpan LookInterval { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Checks the options at start; each message begins with the full key.</summary>
internal sealed class CalibrationsOptionsValidator : IValidateOptions<CalibrationsOptions>, IValidateOptions<SensorsOptions>
{
    private static readonly TimeSpan DueMax = TimeSpan.FromDays(3660);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, CalibrationsOptions options)
    {
        List<string> failures = [];
        if (options.DueAfter is { } due && (due < TimeSpan.Zero || due > DueMax))
        {
            failures.Add($"{CalibrationsOptions.Section}:{nameof(options.DueAfter)} is {due}: give zero (never) to {DueMax}.");
        }

        if (options.LookInterval < TimeSpan.FromSeconds(1) || options.LookInterval > TimeSpan.FromDays(1))
        {
            failures.Add($"{CalibrationsOptions.Section}:{nameof(options.LookInterval)} is {options.LookInterval}: give 00:00:01 to 1.00:00:00.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, SensorsOptions options)
    {
        List<string> failures = [];
        for (int index = 0; index < options.Sensors.Count; index++)
        {
            if (options.Sensors[index].CalibrationDue is { } due && (due < TimeSpan.Zero || due > DueMax))
            {
                failures.Add($"{SensorsOptions.Section}:Sensors:{index}:CalibrationDue is {due}: give zero (never) to {DueMax}.");
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
