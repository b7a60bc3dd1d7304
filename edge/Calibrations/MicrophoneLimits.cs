using Hub.Edge.Sensors;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Calibrations;

/// <summary>
/// A microphone measures raw levels, and its calibration is added afterwards; its floor and overload are true levels. They are moved by the calibration in force at the start, so that flags stay
/// right. Kept within what the station file may say.
/// </summary>
internal sealed class MicrophoneLimits(CalibrationJournal journal) : IPostConfigureOptions<SensorsOptions>
{
    /// <inheritdoc/>
    public void PostConfigure(string? name, SensorsOptions options)
    {
        if (options.Sensors.All(sensor => sensor.Microphone is null))
        {
            return;
        }

        CalibrationEntries entries;
        try
        {
            entries = journal.Read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Said by whoever needs the calibrations themselves.
            return;
        }

        Move(options, entries);
    }

    /// <summary>Moves the limits of every microphone that has a calibration in force. Not twice over the same settings.</summary>
    public static void Move(SensorsOptions options, CalibrationEntries entries)
    {
        foreach (SensorOptions sensor in options.Sensors)
        {
            if (sensor.Microphone is { } microphone && CalibrationHistory.InForce(entries.Of(sensor.Name, CalibrationBook.SoundLevel)) is { } record && CalibrationBook.Misfit(record, sensor) is null)
            {
                microphone.Floor = microphone.Floor is >= 0 and <= 80 ? Math.Clamp(microphone.Floor - record.After.Offset, 0, 80) : microphone.Floor;
                microphone.Overload = microphone.Overload is >= 80 and <= 160 ? Math.Clamp(microphone.Overload.Value - record.After.Offset, 80, 160) : microphone.Overload;
            }
        }
    }
}
