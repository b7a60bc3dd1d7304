using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>A circle on the globe.</summary>
/// <param name="Latitude">Of its centre, degrees, WGS 84, -90 to 90.</param>
/// <param name="Longitude">Of its centre, degrees, WGS 84, -180 to 180.</param>
/// <param name="RadiusMetres">Radius, metres, 100 to 50,000.</param>
public readonly record struct Circle(double Latitude, double Longitude, double RadiusMetres)
{
    /// <summary>Smallest radius, metres: a station's place is no more exact.</summary>
    public const double RadiusMetresMin = 100;

    /// <summary>Largest radius, metres: no municipality is wider.</summary>
    public const double RadiusMetresMax = 50_000;

    private const double EarthRadiusMetres = 6_371_008.8;

    /// <summary>Whether a place is in the circle, its edge included.</summary>
    /// <param name="latitude">Degrees, WGS 84.</param>
    /// <param name="longitude">Degrees, WGS 84.</param>
    public bool Contains(double latitude, double longitude) => MetresTo(latitude, longitude) <= RadiusMetres;

    /// <summary>Distance from the centre, metres, on a sphere (haversine): within 0.6 % of the ellipsoid's.</summary>
    /// <param name="latitude">Degrees, WGS 84.</param>
    /// <param name="longitude">Degrees, WGS 84.</param>
    public double MetresTo(double latitude, double longitude)
    {
        var (north, east) = (Radians(latitude - Latitude) / 2, Radians(longitude - Longitude) / 2);
        var half = (Math.Sin(north) * Math.Sin(north)) + (Math.Cos(Radians(Latitude)) * Math.Cos(Radians(latitude)) * Math.Sin(east) * Math.Sin(east));
        return 2 * EarthRadiusMetres * Math.Asin(Math.Min(1, Math.Sqrt(half)));
    }

    private static double Radians(double degrees) => degrees * Math.PI / 180;
}

/// <summary>What somebody wants to hear of, within one municipality: where, what, and from which severity on. What is null is not asked about.</summary>
/// <param name="Station">Slug of one station; null for every public station.</param>
/// <param name="Area">Stations in this circle; null for every one. Not together with <paramref name="Station"/>.</param>
/// <param name="Property">Identifier of one observed property; null for every one.</param>
/// <param name="Rule">Slug of one rule; null for every one.</param>
/// <param name="SeverityMin">Only alarms at least this serious.</param>
public sealed record Wish(string? Station, Circle? Area, string? Property, string? Rule, Severity SeverityMin)
{
    /// <summary>Whether a message is wanted. One about a station that is not public never is: whoever signs up is anybody. Pure.</summary>
    /// <param name="message">About an alarm of the wish's municipality.</param>
    public bool Wants(AlarmMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message.Public
            && message.Severity >= SeverityMin
            && (Station is null || Station == message.Station)
            && (Property is null || Property == message.Property)
            && (Rule is null || Rule == message.Rule)
            && (Area is not { } area || (message is { Latitude: { } latitude, Longitude: { } longitude } && area.Contains(latitude, longitude)));
    }

    /// <summary>Refuses a wish that breaks a rule, naming the field and the reason.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    internal void Check()
    {
        Refuse.Unless(Station is null || HubTopic.IsSlug(Station), nameof(Station), "must be the slug of a station, or null for all stations");
        Refuse.Unless(Property is null or { Length: >= 1 and <= 64 }, nameof(Property), "must be the identifier of an observed property, or null for all");
        Refuse.Unless(Rule is null || HubTopic.IsSlug(Rule), nameof(Rule), "must be the slug of a rule, or null for all rules");
        Refuse.Unless(Enum.IsDefined(SeverityMin), nameof(SeverityMin), "must be Information, Warning or Alert");
        if (Area is { } area)
        {
            Refuse.Unless(Station is null, nameof(Area), "must not be given together with a station");
            Refuse.Unless(Math.Abs(area.Latitude) <= 90 && Math.Abs(area.Longitude) <= 180, nameof(Area), "must have a centre of -90 to 90 and -180 to 180 degrees");
            Refuse.Unless(
                area.RadiusMetres is >= Circle.RadiusMetresMin and <= Circle.RadiusMetresMax, nameof(Area), $"must have a radius of {Circle.RadiusMetresMin} to {Circle.RadiusMetresMax} metres");
        }
    }
}
