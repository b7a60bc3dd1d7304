using System.Globalization;
using Hub.Cloud.Notifications;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Read;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Hub.Cloud.Portal.Serving;

/// <summary>The fields of signing up as they are typed, chosen or written in an address; what cannot be taken is named by its field.</summary>
internal sealed class SignUpForm
{
    /// <summary><c>municipality</c> or <c>municipality/station</c>.</summary>
    public string? Place { get; set; }

    /// <summary>Metres around the place; empty for the place alone.</summary>
    public string? Radius { get; set; }

    /// <summary>Centre, instead of a station's place: degrees, WGS 84, with a point or a comma.</summary>
    public string? Latitude { get; set; }

    /// <summary>Centre, instead of a station's place: degrees, WGS 84, with a point or a comma.</summary>
    public string? Longitude { get; set; }

    /// <summary>Empty for everything, <c>property:…</c> or <c>rule:…</c>.</summary>
    public string? What { get; set; }

    /// <summary>Least severity, 1 to 3.</summary>
    public string? Level { get; set; }

    public string? Email { get; set; }

    public string? Language { get; set; }

    /// <summary>Not empty: there are quiet hours.</summary>
    public string? Quiet { get; set; }

    /// <summary>Local time of day, <c>HH:mm</c>.</summary>
    public string? From { get; set; } = "22:00";

    /// <summary>Local time of day, <c>HH:mm</c>.</summary>
    public string? Until { get; set; } = "07:00";

    /// <summary>Not empty: the highest severity comes all the same.</summary>
    public string? Except { get; set; }

    /// <summary>Nobody sees this field: who fills it in is a program.</summary>
    public string? Website { get; set; }

    /// <summary>Text key of what is wrong, by field.</summary>
    [BindNever]
    public Dictionary<string, string> Problems { get; } = [];

    /// <summary>Reads the first two steps. Null, with the reason in <see cref="Problems"/>, when they cannot be taken.</summary>
    public (SignUpPlace Place, Wish Wish)? Read(SignUpChoices choices, bool withWhat)
    {
        if (!choices.TryPlace(Place, out var place))
        {
            Problems["place"] = "subscribe.bad.place";
            return null;
        }

        var area = Area(place);
        var level = int.TryParse(Level ?? "2", NumberStyles.None, CultureInfo.InvariantCulture, out var number) && Enum.IsDefined((Severity)number) ? (Severity)number : default;
        var slug = place.Municipality.Slug;
        var (property, rule) = (After("property:"), After("rule:"));
        if (withWhat && !(string.IsNullOrEmpty(What) || choices.Quantities(slug).Any(one => one.Id == property) || choices.Rules(slug).Any(one => one.Slug == rule)))
        {
            Problems["what"] = "subscribe.bad.what";
        }

        if (withWhat && level == default)
        {
            Problems["level"] = "subscribe.bad.level";
        }

        return Problems.Count > 0 ? null : (place, new Wish(area is null ? place.Station?.Slug : null, area, property, rule, level == default ? Severity.Warning : level));

        string? After(string prefix) => What?.StartsWith(prefix, StringComparison.Ordinal) == true ? What[prefix.Length..] : null;
    }

    /// <summary>Reads the quiet hours; null for none, and with the reason in <see cref="Problems"/> when they cannot be taken.</summary>
    public QuietHours? ReadQuiet()
    {
        if (string.IsNullOrEmpty(Quiet))
        {
            return null;
        }

        if (TimeOnly.TryParseExact(From, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var from)
            && TimeOnly.TryParseExact(Until, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until)
            && from != until && until - from <= TimeSpan.FromHours(22))
        {
            return new(from, until, !string.IsNullOrEmpty(Except));
        }

        Problems["quiet"] = "subscribe.bad.quiet";
        return null;
    }

    /// <summary>Puts quiet hours into the fields.</summary>
    public void Show(QuietHours? quiet)
    {
        (Quiet, Except) = (quiet is null ? null : "on", quiet is { ExceptHighest: false } ? null : "on");
        if (quiet is not null)
        {
            (From, Until) = (quiet.From.ToString("HH:mm", CultureInfo.InvariantCulture), quiet.Until.ToString("HH:mm", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Puts a wish into the fields.</summary>
    public void Show(string municipality, Wish wish, SignUpChoices choices)
    {
        What = wish.Property is { } property ? "property:" + property : wish.Rule is { } rule ? "rule:" + rule : "";
        Level = ((int)wish.SeverityMin).ToString(CultureInfo.InvariantCulture);
        (Place, Radius, Latitude, Longitude) = (wish.Station is { } station ? $"{municipality}/{station}" : municipality, null, null, null);
        if (wish.Area is { } area)
        {
            Radius = area.RadiusMetres.ToString("0", CultureInfo.InvariantCulture);
            if (choices.At(municipality, area) is { } centre)
            {
                Place = $"{municipality}/{centre.Slug}";
            }
            else
            {
                (Latitude, Longitude) = (area.Latitude.ToString("0.######", CultureInfo.InvariantCulture), area.Longitude.ToString("0.######", CultureInfo.InvariantCulture));
            }
        }
    }

    private Circle? Area(SignUpPlace place)
    {
        var (hasRadius, hasPoint) = (!string.IsNullOrEmpty(Radius), !string.IsNullOrWhiteSpace(Latitude) || !string.IsNullOrWhiteSpace(Longitude));
        var radius = 1_000;
        if (hasRadius && !(int.TryParse(Radius, NumberStyles.None, CultureInfo.InvariantCulture, out radius) && radius >= Circle.RadiusMetresMin && radius <= Circle.RadiusMetresMax))
        {
            Problems["radius"] = "subscribe.bad.radius";
            return null;
        }

        if (!hasPoint)
        {
            // The whole municipality has no centre to go around.
            return hasRadius && place.Station is { } station ? new Circle(station.Latitude, station.Longitude, radius) : null;
        }

        if (Degrees(Latitude, 90) is { } latitude && Degrees(Longitude, 180) is { } longitude)
        {
            return new Circle(latitude, longitude, radius);
        }

        Problems["point"] = "subscribe.bad.point";
        return null;
    }

    private static double? Degrees(string? text, double most) =>
        double.TryParse((text ?? "").Trim().Replace(',', '.'), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var degrees) && Math.Abs(degrees) <= most ? degrees : null;
}
