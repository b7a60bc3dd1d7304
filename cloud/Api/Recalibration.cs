using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api;

/// <summary>A calibration that turned out wrong, and what is right: every value that its version made is computed anew from the raw one. Pure.</summary>
/// <param name="Quantity">What is observed.</param>
/// <param name="Version">Version of the wrong calibration, 1 or more.</param>
/// <param name="Gain">Right factor, finite, not zero.</param>
/// <param name="Offset">Right offset, canonical unit.</param>
internal sealed record Recalibration(Quantity Quantity, int Version, double Gain, double Offset)
{
    /// <summary>Whether an observation was made by the version and can be computed anew.</summary>
    public bool Concerns(in Observation observation) => observation.Calibration == Version && double.IsFinite(observation.Raw);

    /// <summary>
    /// The observation as a next revision; null when nothing about it changes. Its version stays: that is what the station said. Out of range is said anew where the range of the quantity decides; what the
    /// instrument said against the value stays.
    /// </summary>
    public Observation? Correct(in Observation observation)
    {
        var result = (observation.Raw * Gain) + Offset;
        if (!Concerns(observation) || !double.IsFinite(result) || result.Equals(observation.Result))
        {
            return null;
        }

        var quality = observation.Quality;
        if (!IsPlausible(result))
        {
            quality |= Quality.OutOfRange;
        }
        else if (!IsPlausible(observation.Result))
        {
            quality &= ~Quality.OutOfRange;
        }

        return observation with { Result = result, Quality = quality, Revision = observation.Revision + 1 };
    }

    private bool IsPlausible(double value) => value >= Quantity.PlausibleMin && value <= Quantity.PlausibleMax;
}
