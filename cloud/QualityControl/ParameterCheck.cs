using System.Globalization;
using Hub.Cloud.QualityControl.Checks;

namespace Hub.Cloud.QualityControl;

/// <summary>What parameters must be.</summary>
internal static class ParameterCheck
{
    public const int SensorsMax = 50;
    public const int SensorLengthMax = 64;
    private const int Day = 86_400;
    private const double Huge = 1e12;

    /// <exception cref="ArgumentException">A parameter breaks its rule; the message names it and says what is expected.</exception>
    public static void ThrowIfNot(CheckParameters parameters)
    {
        if (parameters.Range is { } range)
        {
            Number("range.min", range.Min, -Huge, Huge);
            Number("range.max", range.Max, -Huge, Huge);
            Demand(range.Min < range.Max, "range.min must be below range.max.");
        }

        if (parameters.Step is { } step)
        {
            Positive("step.change", step.Change);
            Number("step.perHour", step.PerHour, 0, Huge);
            Number("step.gapSeconds", step.GapSeconds, 1, Day);
        }

        if (parameters.FlatLine is { } flat)
        {
            Number("flatLine.forSeconds", flat.ForSeconds, 60, 7 * Day);
            Number("flatLine.tolerance", flat.Tolerance, 0, Huge);
            Number("flatLine.gapSeconds", flat.GapSeconds, 1, Day);
            Number("flatLine.naturalBelow", flat.NaturalBelow ?? 0, -Huge, Huge);
            Number("flatLine.naturalAbove", flat.NaturalAbove ?? 0, -Huge, Huge);
        }

        if (parameters.Spike is { } spike)
        {
            Positive("spike.floor", spike.Floor);
            Positive("spike.deviations", spike.Deviations);
            Number("spike.withinMetres", spike.WithinMetres, 1, 100_000);
            Number("spike.withinSeconds", spike.WithinSeconds, 1, Day);
            Number("spike.neighboursMin", spike.NeighboursMin, 3, SpikeCheck.NeighboursMax);
        }

        if (parameters.Humidity is { } humidity)
        {
            Number("humidity.above", humidity.Above, 0, 100);
            Number("humidity.withinSeconds", humidity.WithinSeconds, 1, Day);
            Demand(
                humidity.Sensors is { Count: > 0 and <= SensorsMax } && humidity.Sensors.All(name => name is { Length: > 0 and <= SensorLengthMax }),
                $"humidity.sensors must be 1 to {SensorsMax} beginnings of sensor names, each of 1 to {SensorLengthMax} characters.");
        }

        if (parameters.Drift is { } drift)
        {
            Demand(!string.IsNullOrEmpty(drift.Reference), "drift.reference must be the slug of a station.");
            Positive("drift.difference", drift.Difference);
            Number("drift.relative", drift.Relative, 0, 1_000);
            Number("drift.days", drift.Days, 1, 31);
        }
    }

    private static void Positive(string name, double value) =>
        Demand(value > 0 && value <= Huge, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; expected is a number above 0."));

    private static void Number(string name, double value, double least, double most) =>
        Demand(value >= least && value <= most, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; expected is {least} to {most}."));

    private static void Demand(bool isSo, string message)
    {
        if (!isSo)
        {
            throw new ArgumentException(message);
        }
    }
}
