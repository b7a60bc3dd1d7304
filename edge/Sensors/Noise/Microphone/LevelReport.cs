using System.Runtime.CompilerServices;
using Hub.Edge.Sensors.Noise.Levels;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>The band levels of a report, held in place so that a report is one value.</summary>
[InlineArray(ThirdOctaveBank.BandCount)]
internal struct BandLevels
{
    private double first;
}

/// <summary>Levels of one interval of the UTC clock.</summary>
/// <param name="Start">UTC instant at which the interval begins.</param>
/// <param name="Length">Its length.</param>
/// <param name="Levels">What it was.</param>
internal readonly record struct LevelReport(DateTime Start, TimeSpan Length, SoundLevels Levels)
{
    /// <summary>Band levels, dB; all zero when bands are off or the interval is a second.</summary>
    public BandLevels Bands { get; init; }
}
