using System.Net.Http.Headers;

namespace Hub.Cloud.Notifications.Sms;

/// <summary>
/// Settings of the SMS channel, under <c>Hub:Notifications:Sms</c>: how the HTTP gateway of whoever carries the messages is asked. In <see cref="Url"/>, <see cref="Body"/> and <see cref="Headers"/> stand for each message
/// <c>{to}</c> (E.164, with the plus sign), <c>{toDigits}</c> (without), <c>{text}</c>, <c>{from}</c>, <c>{key}</c> (the same for every attempt) and <c>{secret}</c>; values are escaped for where they stand.
/// </summary>
public sealed class SmsOptions
{
    /// <summary>Address of the gateway, https; empty (default): there is none, and no subscriber can ask for SMS.</summary>
    public string Url { get; set; } = "";

    /// <summary><c>POST</c> (default), <c>PUT</c>, or <c>GET</c>: everything is then in <see cref="Url"/>, and <see cref="Body"/> is not sent.</summary>
    public string Method { get; set; } = "POST";

    /// <summary>What <see cref="Body"/> is: <c>application/json</c> (default) or <c>application/x-www-form-urlencoded</c>.</summary>
    public string ContentType { get; set; } = SmsTemplate.Json;

    /// <summary>Template of the body. In JSON, places stand within strings: <c>{"to":"{to}","text":"{text}"}</c>, which is the default.</summary>
    public string Body { get; set; } = """{"to":"{to}","text":"{text}"}""";

    /// <summary>Headers of each request by name, e.g. <c>Authorization</c> with <c>Bearer {secret}</c>; <c>{text}</c> cannot stand there.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Header that carries the idempotency key, so that the gateway knows a repeated message; default <c>Idempotency-Key</c>, empty for none.</summary>
    public string IdempotencyHeader { get; set; } = "Idempotency-Key";

    /// <summary>What <c>{secret}</c> stands for: the gateway's key or password. Never logged, and taken out of the gateway's answers; written into <see cref="Url"/> or <see cref="Body"/> itself it would be shown at the start.</summary>
    public string Secret { get; set; } = "";

    /// <summary>What <c>{from}</c> stands for: the sender's name or number as the gateway knows it.</summary>
    public string From { get; set; } = "";

    /// <summary>
    /// Whether letters that the GSM alphabet lacks (á, ã, ç, ...) are written without their accents: a message then takes 160 characters instead of 70. Default false: names are written as they are.
    /// </summary>
    public bool Unaccented { get; set; }

    /// <summary>Whether the gateway may be at a private or loopback address and be spoken to over plain HTTP, such as a modem in the operator's network. Default false.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>Messages to the gateway in a minute, 0 to 60,000, evenly: in a second at most a sixtieth of them, rounded up. Default 0: no limit. Past it messages wait.</summary>
    public int PerMinuteMax { get; set; }

    /// <summary>Time for one attempt, from the connection to the end of the answer. 1 to 60 seconds; default 15.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    internal bool IsConfigured => Url.Length > 0;

    /// <summary>What is wrong: the setting below this section, and why.</summary>
    internal IEnumerable<(string Setting, string Reason)> Faults()
    {
        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromSeconds(60))
        {
            yield return (nameof(Timeout), "must be 1 to 60 seconds");
        }

        if (Method is not ("POST" or "PUT" or "GET"))
        {
            yield return (nameof(Method), "must be POST, PUT or GET");
        }

        if (ContentType is not (SmsTemplate.Json or SmsTemplate.Form))
        {
            yield return (nameof(ContentType), $"must be {SmsTemplate.Json} or {SmsTemplate.Form}");
        }

        foreach (var (setting, template) in new[] { (nameof(Url), Url), (nameof(Body), Body) }.Concat(Headers.Select(header => ($"{nameof(Headers)}:{header.Key}", header.Value))))
        {
            if (SmsTemplate.Unknown(template) is { } unknown)
            {
                yield return (setting, $"has {unknown}, which stands for nothing: there are {SmsTemplate.Known}");
            }
        }

        if (From.Any(char.IsControl) || Secret.Any(char.IsControl))
        {
            yield return (From.Any(char.IsControl) ? nameof(From) : nameof(Secret), "must not hold control characters");
        }

        if (!IsConfigured)
        {
            yield break;
        }

        if (!Uri.TryCreate(SmsTemplate.Sample.InUrl(Url), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            yield return (nameof(Url), "must be an http or https address");
        }
        else if (url.Scheme == "http" && !AllowPrivateTargets)
        {
            yield return (nameof(Url), $"must be an https address ({NotificationsOptions.Section}:Sms:{nameof(AllowPrivateTargets)} allows http)");
        }

        if (Method != "GET" && ContentType == SmsTemplate.Json && !SmsTemplate.Sample.IsJson(Body))
        {
            yield return (nameof(Body), "must be JSON once its places are filled in, with each place within a string");
        }

        var whole = Method == "GET" ? Url : Url + Body;
        if (!whole.Contains("{text}", StringComparison.Ordinal) || !(whole.Contains("{to}", StringComparison.Ordinal) || whole.Contains("{toDigits}", StringComparison.Ordinal)))
        {
            yield return (Method == "GET" ? nameof(Url) : nameof(Body), "must say {text}, and {to} or {toDigits}");
        }

        using var request = new HttpRequestMessage();
        var sample = new SmsTemplate("+351912345678", "", From, "key", Secret);
        foreach (var (name, template) in Headers.Append(KeyValuePair.Create(IdempotencyHeader, "{key}")).Where(header => header.Key.Length > 0))
        {
            var value = sample.InHeader(template);
            if (template.Contains("{text}", StringComparison.Ordinal) || value.Any(c => char.IsControl(c) || !char.IsAscii(c)) || !TryAdd(request.Headers, name, value))
            {
                yield return (name == IdempotencyHeader ? nameof(IdempotencyHeader) : $"{nameof(Headers)}:{name}", "is not a header of a request, or its value cannot stand in one: ASCII, without {text}");
            }
        }
    }

    /// <summary>Adds a header; false where its name is none, or one that belongs to the body.</summary>
    private static bool TryAdd(HttpRequestHeaders headers, string name, string value)
    {
        try
        {
            return headers.TryAddWithoutValidation(name, value);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
