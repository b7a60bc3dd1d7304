using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Stations;

/// <summary>What the fields of a station may hold. Every failure is an <see cref="ArgumentException"/> whose message names the field and the rule.</summary>
internal static class StationRules
{
    public const int NameMax = 200;
    public const int AttributionMax = 2_000;
    public const int SensorMax = 64;

    /// <summary>Longest averaging period of a datastream: a leap year, in seconds.</summary>
    public const int PeriodSecondsMax = 366 * 86_400;

    /// <summary>Longest time an old secret may stay valid beside a new one.</summary>
    public static readonly TimeSpan OverlapMax = TimeSpan.FromDays(90);

    public static void Check(string municipality, string slug, string name, double latitude, double longitude, string attribution)
    {
        Slug(municipality, "Municipality");
        Slug(slug, "Slug");
        if (slug == "alarms")
        {
            throw new ArgumentException("Slug must not be \"alarms\": that level of the topic tree carries alarms.");
        }

        if (string.IsNullOrWhiteSpace(name) || name.Length > NameMax || name.Any(char.IsControl))
        {
            throw new ArgumentException($"Name must have 1 to {NameMax} characters and no control characters.");
        }

        if (!(latitude is >= -90 and <= 90))
        {
            throw new ArgumentException("Latitude must be -90 to 90 degrees.");
        }

        if (!(longitude is >= -180 and <= 180))
        {
            throw new ArgumentException("Longitude must be -180 to 180 degrees.");
        }

        if (attribution is null || attribution.Length > AttributionMax || attribution.Any(c => char.IsControl(c) && c != '\n'))
        {
            throw new ArgumentException($"Attribution must have at most {AttributionMax} characters and no control characters except line feeds.");
        }
    }

    public static void Sensor(string sensor)
    {
        if (!IsSensor(sensor))
        {
            throw new ArgumentException($"Sensor must be 1 to {SensorMax} of a-z 0-9 - and begin with a letter or digit.", nameof(sensor));
        }
    }

    public static void Adapter(string adapter) => Slug(adapter, "Adapter");

    public static bool IsSensor(ReadOnlySpan<char> sensor)
    {
        if (sensor.Length is < 1 or > SensorMax || sensor[0] == '-')
        {
            return false;
        }

        foreach (var c in sensor)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            {
                return false;
            }
        }

        return true;
    }

    private static void Slug(string text, string field)
    {
        if (text is null || !HubTopic.IsSlug(text))
        {
            throw new ArgumentException($"{field} must be 1 to 64 of a-z 0-9 - and begin and end with a letter or digit.");
        }
    }
}
