using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Writes the message about an alarm.</summary>
internal sealed class AlarmMessages(IMunicipalityDirectory municipalities)
{
    /// <summary>The message that tells an alarm as it is now.</summary>
    public AlarmMessage Write(AlarmRow alarm, Pair pair, NotificationKind kind)
    {
        var (rule, datastream) = (pair.Rule, pair.Datastream);
        var (municipalityName, zone) = municipalities.Of(alarm.Municipality);
        var ended = kind == NotificationKind.Ended;
        return new AlarmMessage(
            KeyOf(alarm, kind),
            kind,
            alarm.Thread,
            alarm.Municipality,
            municipalityName,
            alarm.Station,
            datastream.Station.Name,
            alarm.Rule,
            rule.NamePt,
            rule.NameEn,
            alarm.Severity,
            rule.Property,
            UnitText(rule, datastream.Quantity),
            ended ? alarm.LastValue : alarm.StartValue,
            rule.Measure.IsSilence() ? TimeSpan.FromTicks(rule.WindowTicks).TotalMinutes : ended ? pair.Machine.ClearLevel : pair.Machine.SetLevel,
            alarm.ConditionAt,
            alarm.StartedAt,
            alarm.EndedAt,
            alarm.Peak,
            zone,
            alarm.Withdrawn)
        {
            Incident = alarm.Incident,
            Latitude = datastream.Station.Latitude,
            Longitude = datastream.Station.Longitude,
            Public = datastream.Station.Public,
            Datastream = datastream.Id,
            DrawnLevel = rule.Measure is Measure.Value or Measure.Mean or Measure.Max or Measure.Min or Measure.Percentile ? pair.Machine.SetLevel : null,
        };
    }

    /// <summary>Unique for each message: the alarm, what is said, and its number in the alarm's thread.</summary>
    public static string KeyOf(AlarmRow alarm, NotificationKind kind)
    {
        var word = kind switch
        {
            NotificationKind.Started => "started",
            NotificationKind.Ended => "ended",
            NotificationKind.Past => "past",
            _ => "corrected",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{alarm.Id}:{word}:{alarm.ToldCount + 1}");
    }

    public static string ToJson(AlarmMessage message) => JsonSerializer.Serialize(message);

    public static AlarmMessage FromJson(string json) => JsonSerializer.Deserialize<AlarmMessage>(json)!;

    private static string UnitText(RuleRow rule, Quantity quantity) => rule.Measure switch
    {
        Measure.NoData or Measure.Offline => "min",
        Measure.Count or Measure.Exceedances or Measure.AirIndex => "",
        Measure.GoodShare => "%",
        _ => UnitText(quantity),
    };

    /// <summary>A quantity's unit as people write it, the weighting of a sound level included.</summary>
    public static string UnitText(Quantity quantity) => quantity.SenmlUnit switch
    {
        "dB" when quantity.Id.StartsWith("la", StringComparison.Ordinal) => "dB(A)",
        "dB" when quantity.Id.StartsWith("lc", StringComparison.Ordinal) => "dB(C)",
        "ug/m3" => "µg/m³",
        "mg/m3" => "mg/m³",
        "1/cm3" => "cm⁻³",
        "Cel" => "°C",
        "%RH" or "/100" => "%",
        "deg" => "°",
        "W/m2" => "W/m²",
        "count" or "/" => "",
        var unit => unit,
    };
}
