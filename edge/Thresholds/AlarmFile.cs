using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Files;

namespace Hub.Edge.Thresholds;

/// <summary>
/// The alarms that are on, <c>{data}/thresholds.json</c>: read once at the start, so that outputs are as they were after a crash or power cut; written when an alarm begins or ends, and not otherwise.
/// </summary>
/// <param name="path">The file; its folder exists when <see cref="Write"/> is called.</param>
internal sealed class AlarmFile(string path)
{
    /// <summary>Most alarms written: past it the newest are left out, and begin again with their readings after a crash.</summary>
    public const int AlarmsMax = 1000;

    /// <summary>What was on; null with the reason when the file is there and cannot be used.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public IReadOnlyList<ActiveAlarm>? Read(out string? problem)
    {
        problem = null;
        if (!File.Exists(path))
        {
            return [];
        }

        if (!SealedFile.TryRead(path, out byte[]? text, out problem))
        {
            return null;
        }

        try
        {
            AlarmList? list = JsonSerializer.Deserialize(text, AlarmJson.Default.AlarmList);
            if (list is { Format: AlarmList.FormatNow, Active: { } active } && active.All(alarm => alarm is { Rule: { } rule, Sensor: not null } && rule.Mistake() is null && double.IsFinite(alarm.Value)))
            {
                return active;
            }

            problem = "It is of another version of the agent.";
        }
        catch (JsonException exception)
        {
            problem = exception.Message.ReplaceLineEndings(" ");
        }

        return null;
    }

    /// <summary>Writes what is on; when it returns, that survives a power cut.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public void Write(IReadOnlyList<ActiveAlarm> alarms) =>
        SealedFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(new AlarmList(AlarmList.FormatNow, [.. alarms.Take(AlarmsMax)]), AlarmJson.Default.AlarmList), overwrite: true);
}

/// <summary>The file's text.</summary>
internal sealed record AlarmList(int Format, IReadOnlyList<ActiveAlarm> Active)
{
    public const int FormatNow = 1;
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AlarmList))]
internal sealed partial class AlarmJson : JsonSerializerContext;
