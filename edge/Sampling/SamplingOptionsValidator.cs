using Hub.Edge.Contract.Quantities;
using Hub.Edge.Sensors;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sampling;

/// <summary>Checks the options at start; each message begins with the full key.</summary>
internal sealed class SamplingOptionsValidator : IValidateOptions<SamplingOptions>, IValidateOptions<SensorsOptions>
{
    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongMax = TimeSpan.FromDays(31);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, SamplingOptions options)
    {
        List<string> failures = [];
        Range(nameof(options.RestartPauseMin), options.RestartPauseMin, PauseMin, TimeSpan.FromHours(1));
        Range(nameof(options.RestartPauseMax), options.RestartPauseMax, options.RestartPauseMin, TimeSpan.FromDays(1));
        Range(nameof(options.OutboxPause), options.OutboxPause, PauseMin, TimeSpan.FromHours(1));
        Range(nameof(options.DeadAfter), options.DeadAfter, TimeSpan.Zero, LongMax);
        Range(nameof(options.StuckAfter), options.StuckAfter, TimeSpan.Zero, LongMax);
        if (options.StuckCountMin is < 2 or > 10_000)
        {
            failures.Add($"{SamplingOptions.Section}:{nameof(options.StuckCountMin)} is {options.StuckCountMin}: give 2 to 10000.");
        }

        if (!(options.SuspectHumidityAbove is >= 0 and <= 100))
        {
            failures.Add($"{SamplingOptions.Section}:{nameof(options.SuspectHumidityAbove)} is {options.SuspectHumidityAbove}: give 0 to 100 (%RH).");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Range(string key, TimeSpan value, TimeSpan min, TimeSpan max)
        {
            if (value < min || value > max)
            {
                failures.Add($"{SamplingOptions.Section}:{key} is {value}: give {min} to {max}.");
            }
        }
    }

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, SensorsOptions options)
    {
        List<string> failures = [];
        for (int index = 0; index < options.Sensors.Count; index++)
        {
            SensorOptions sensor = options.Sensors[index];
            string key = $"{SensorsOptions.Section}:Sensors:{index}";
            if (sensor.StuckAfter is { } stuck && (stuck < TimeSpan.Zero || stuck > LongMax))
            {
                failures.Add($"{key}:StuckAfter is {stuck}: give zero (never) to {LongMax}.");
            }

            if (sensor.DeadAfter is { } dead && (dead < TimeSpan.Zero || dead > LongMax))
            {
                failures.Add($"{key}:DeadAfter is {dead}: give zero (never) to {LongMax}.");
            }

            for (int place = 0; place < sensor.Calibrations.Count; place++)
            {
                CalibrationOptions calibration = sensor.Calibrations[place];
                string at = $"{key}:Calibrations:{place}";
                if (!QuantityCatalogue.TryGet(calibration.Quantity, out _))
                {
                    failures.Add($"{at}:Quantity is '{calibration.Quantity}', which is not in the quantity catalogue.");
                }

                if (sensor.Calibrations.Take(place).Any(earlier => earlier.Quantity == calibration.Quantity))
                {
                    failures.Add($"{at}:Quantity '{calibration.Quantity}' has a calibration already; give one for each quantity.");
                }

                if (!double.IsFinite(calibration.Gain) || calibration.Gain == 0 || !double.IsFinite(calibration.Offset))
                {
                    failures.Add($"{at}:Gain must be a number other than zero, Offset a number.");
                }

                if (calibration.Version < 1)
                {
                    failures.Add($"{at}:Version is {calibration.Version}: give 1 or more, and count up with each change.");
                }
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
