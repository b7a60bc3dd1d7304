using Hub.Edge.Sensors.Noise.Levels;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>Checks a microphone's options; every failure begins with the full key and says what to give.</summary>
internal static class MicrophoneChecks
{
    private static readonly int[] Rates = [44_100, 48_000, 96_000];

    public static IEnumerable<string> Failures(MicrophoneSensorOptions options, string key)
    {
        if (options.Device.Length == 0)
        {
            yield return $"{key}:Device is missing: give the ALSA name of the microphone, such as hw:1 (arecord -l lists them).";
        }

        if (!Rates.Contains(options.Rate))
        {
            yield return $"{key}:Rate is {options.Rate}: give one of {string.Join(", ", Rates)}, one that the device does by itself.";
        }

        if (!Enum.IsDefined(options.Format))
        {
            yield return $"{key}:Format is {options.Format}: give s32, s24, s24Packed or s16.";
        }

        if (options.Channels is not (1 or 2))
        {
            yield return $"{key}:Channels is {options.Channels}: give 1 or 2.";
        }

        if (options.Channel < 1 || options.Channel > options.Channels)
        {
            yield return $"{key}:Channel is {options.Channel}: give a channel of the device, 1 to {options.Channels}.";
        }

        if (options.Sensitivity is not (>= -80 and <= 0))
        {
            yield return $"{key}:Sensitivity is {options.Sensitivity}: give dBFS at 94 dB SPL, -80 to 0, from the data sheet or a calibration.";
        }

        if (options.Floor is not (>= 0 and <= 80))
        {
            yield return $"{key}:Floor is {options.Floor}: give the microphone's own noise in dB(A), 0 to 80.";
        }

        if (options.Overload is not (null or (>= 80 and <= 160)))
        {
            yield return $"{key}:Overload is {options.Overload}: give dB SPL, 80 to 160, or leave it out.";
        }

        if (options.Settle < TimeSpan.FromSeconds(0.25) || options.Settle > TimeSpan.FromMinutes(1))
        {
            yield return $"{key}:Settle is {options.Settle}: give 00:00:00.25 to 00:01:00.";
        }

        if (options.Bands && options.Rate < ThirdOctaveBank.RateMin)
        {
            yield return $"{key}:Bands need {ThirdOctaveBank.RateMin} samples a second or more, and {key}:Rate is {options.Rate}: raise it, or switch the bands off.";
        }

        if (options.Period < TimeSpan.FromSeconds(10) || options.Period > TimeSpan.FromHours(1) || options.Period.Ticks % TimeSpan.TicksPerSecond != 0 || TimeSpan.TicksPerHour % options.Period.Ticks != 0)
        {
            yield return $"{key}:Period is {options.Period}: give whole seconds that divide an hour, 00:00:10 to 01:00:00.";
        }
    }
}
