using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hub.Cloud.Notifications.Sms;

/// <summary>Fills the places of the gateway's templates, each value escaped for where it stands and put in once: a text that looks like a place is text. Pure.</summary>
internal sealed partial class SmsTemplate(string to, string text, string from, string key, string secret)
{
    public const string Json = "application/json";
    public const string Form = "application/x-www-form-urlencoded";

    /// <summary>The places there are.</summary>
    public const string Known = "{to}, {toDigits}, {text}, {from}, {key} and {secret}";

    /// <summary>Values that break a template in which a place stands where it cannot be escaped.</summary>
    public static SmsTemplate Sample { get; } = new("+351912345678", "a \"quote\", a \\ and {braces}\n", "from", "key", "secret");

    /// <summary>The first place that stands for nothing; null where all are known.</summary>
    public static string? Unknown(string template) => Place().Matches(template).FirstOrDefault(place => Sample.Value(place.Groups[1].Value) is null)?.Value;

    /// <summary>An address: values are percent-encoded.</summary>
    public string InUrl(string template) => Fill(template, Uri.EscapeDataString);

    /// <summary>A body of a content type.</summary>
    public string InBody(string template, string contentType) => contentType == Form ? InUrl(template) : Fill(template, value => JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value);

    /// <summary>A header: values as they are.</summary>
    public string InHeader(string template) => Fill(template, value => value);

    /// <summary>Whether a template is JSON once it is filled.</summary>
    public bool IsJson(string template)
    {
        try
        {
            using var document = JsonDocument.Parse(InBody(template, Json));
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private string Fill(string template, Func<string, string> escape) => Place().Replace(template, place => Value(place.Groups[1].Value) is { } value ? escape(value) : place.Value);

    private string? Value(string place) => place switch
    {
        "to" => to,
        "toDigits" => to.TrimStart('+'),
        "text" => text,
        "from" => from,
        "key" => key,
        "secret" => secret,
        _ => null,
    };

    [GeneratedRegex(@"\{([A-Za-z]+)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Place();
}
