using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>
/// Checks a document against CAP 1.2: what its schema asks for (order, how often, which words, which forms), and what its text asks for beyond. Written from the tables of the standard, so that no file of others is needed.
/// </summary>
internal static partial class CapSchema
{
    private static readonly XNamespace Cap = "urn:oasis:names:tc:emergency:cap:1.2";

    private static readonly Rule[] Alert =
    [
        One("identifier", Name()), One("sender", Name()), One("sent", Instant()), One("status", "Actual", "Exercise", "System", "Test", "Draft"), One("msgType", "Alert", "Update", "Cancel", "Ack", "Error"),
        Maybe("source"), One("scope", "Public", "Restricted", "Private"), Maybe("restriction"), Maybe("addresses"), Any("code"), Maybe("note"), Maybe("references", References()), Maybe("incidents"), Any("info"),
    ];

    private static readonly Rule[] Info =
    [
        Maybe("language", Language()), Many("category", "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"), One("event"),
        Any("responseType", "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"), One("urgency", "Immediate", "Expected", "Future", "Past", "Unknown"),
        One("severity", "Extreme", "Severe", "Moderate", "Minor", "Unknown"), One("certainty", "Observed", "Likely", "Possible", "Unlikely", "Unknown"), Maybe("audience"), Any("eventCode"),
        Maybe("effective", Instant()), Maybe("onset", Instant()), Maybe("expires", Instant()), Maybe("senderName"), Maybe("headline"), Maybe("description"), Maybe("instruction"), Maybe("web", Address()),
        Maybe("contact"), Any("parameter"), Any("resource"), Any("area"),
    ];

    private static readonly Rule[] Resource = [One("resourceDesc"), One("mimeType"), Maybe("size"), Maybe("uri"), Maybe("derefUri"), Maybe("digest")];

    private static readonly Rule[] Area = [One("areaDesc"), Any("polygon"), Any("circle"), Any("geocode"), Maybe("altitude"), Maybe("ceiling")];

    private static readonly Rule[] Pair = [One("valueName"), One("value")];

    /// <summary>Everything that is wrong; empty for a document that conforms.</summary>
    public static IReadOnlyList<string> Faults(string xml)
    {
        XElement root;
        try
        {
            root = XDocument.Parse(xml).Root!;
        }
        catch (XmlException exception)
        {
            return [$"no XML: {exception.Message}"];
        }

        if (root.Name != Cap + "alert")
        {
            return [$"the root is {root.Name}"];
        }

        var faults = new List<string>();
        Check(root, Alert, faults);
        CheckReferences(root, faults);
        foreach (var info in root.Elements(Cap + "info"))
        {
            Check(info, Info, faults);
            foreach (var (element, rules) in new[] { ("eventCode", Pair), ("parameter", Pair), ("resource", Resource), ("area", Area) })
            {
                foreach (var part in info.Elements(Cap + element))
                {
                    Check(part, rules, faults);
                    foreach (var geocode in part.Elements(Cap + "geocode"))
                    {
                        Check(geocode, Pair, faults);
                    }

                    faults.AddRange(part.Elements(Cap + "circle").Where(circle => !IsCircle(circle.Value)).Select(circle => $"circle is '{circle.Value}'"));
                    faults.AddRange(part.Elements(Cap + "polygon").Where(polygon => !IsPolygon(polygon.Value)).Select(polygon => $"polygon is '{polygon.Value}'"));
                }
            }

            var (onset, expires) = ((string?)info.Element(Cap + "onset"), (string?)info.Element(Cap + "expires"));
            if (expires is not null && Time(expires) is { } end && ((Time((string?)root.Element(Cap + "sent")) >= end) || (onset is not null && Time(onset) > end)))
            {
                faults.Add("expires before it begins");
            }
        }

        return faults;
    }

    private static void Check(XElement parent, Rule[] rules, List<string> faults)
    {
        var name = parent.Name.LocalName;
        faults.AddRange(parent.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration).Select(attribute => $"{name} has an attribute {attribute.Name}"));
        var next = 0;
        foreach (var child in parent.Elements())
        {
            var place = Array.FindIndex(rules, rule => Cap + rule.Element == child.Name);
            if (place < 0)
            {
                faults.Add($"{name} has {child.Name}");
                continue;
            }

            if (place < next)
            {
                faults.Add($"{child.Name.LocalName} is out of order in {name}");
            }

            next = Math.Max(next, place);
            if (!rules[place].Takes(child.Value) || (!child.HasElements && child.Value.Length == 0))
            {
                faults.Add($"{child.Name.LocalName} is '{child.Value}'");
            }
        }

        foreach (var rule in rules)
        {
            var count = parent.Elements(Cap + rule.Element).Count();
            if (count < rule.Least || count > rule.Most)
            {
                faults.Add($"{name} has {count} {rule.Element}");
            }
        }
    }

    private static void CheckReferences(XElement root, List<string> faults)
    {
        var (type, scope) = ((string?)root.Element(Cap + "msgType"), (string?)root.Element(Cap + "scope"));
        if (type is "Update" or "Cancel" or "Ack" or "Error" && root.Element(Cap + "references") is null)
        {
            faults.Add($"{type} without references");
        }

        if ((scope == "Restricted") != (root.Element(Cap + "restriction") is not null) || (scope == "Private" && root.Element(Cap + "addresses") is null))
        {
            faults.Add($"scope {scope} without what it needs, or with what it does not");
        }
    }

    private static bool IsCircle(string text) =>
        text.Split(' ') is [var point, var radius] && IsPoint(point) && double.TryParse(radius, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);

    private static bool IsPolygon(string text) => text.Split(' ') is { Length: >= 4 } points && points.All(IsPoint) && points[0] == points[^1];

    // Latitude first, unlike GeoJSON.
    private static bool IsPoint(string text) => text.Split(',') is [var latitude, var longitude] && Degrees(latitude, 90) && Degrees(longitude, 180);

    private static bool Degrees(string text, double most) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && Math.Abs(value) <= most;

    private static DateTimeOffset? Time(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? at : null;

    private static Rule One(string element, Regex? form = null) => new(element, 1, 1, form, []);

    private static Rule One(string element, params string[] words) => new(element, 1, 1, null, words);

    private static Rule Maybe(string element, Regex? form = null) => new(element, 0, 1, form, []);

    private static Rule Any(string element, params string[] words) => new(element, 0, int.MaxValue, null, words);

    private static Rule Many(string element, params string[] words) => new(element, 1, int.MaxValue, null, words);

    private sealed record Rule(string Element, int Least, int Most, Regex? Form, string[] Words)
    {
        public bool Takes(string value) => Form?.IsMatch(value) != false && (Words.Length == 0 || Words.Contains(value));
    }

    [GeneratedRegex(@"^[^\s,<&]+\z")]
    private static partial Regex Name();

    // Neither Z nor fractions of seconds; UTC is -00:00.
    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(-[0-9]{2}:[0-9]{2}|\+(?!00:00)[0-9]{2}:[0-9]{2})\z")]
    private static partial Regex Instant();

    [GeneratedRegex(@"^[^\s,<&]+,[^\s,<&]+,[0-9T:+-]{25}( [^\s,<&]+,[^\s,<&]+,[0-9T:+-]{25})*\z")]
    private static partial Regex References();

    [GeneratedRegex(@"^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*\z")]
    private static partial Regex Language();

    [GeneratedRegex(@"^https?://\S+\z")]
    private static partial Regex Address();
}
