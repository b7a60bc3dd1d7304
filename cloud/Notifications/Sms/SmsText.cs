namespace Hub.Cloud.Notifications.Sms;

/// <summary>The words of an SMS about an alarm: what, value, limit, where, since when, in at most three parts. Pure.</summary>
internal static class SmsText
{
    /// <summary>Most parts of one message.</summary>
    public const int PartsMax = 3;

    // Names are cut before a message is: the figures and the time are what it is for.
    private static readonly int[] NameLengths = [200, 80, 60, 40, 24];

    /// <summary>Writes it.</summary>
    /// <param name="message">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="unaccented">Whether letters outside the GSM alphabet lose their accents.</param>
    public static string Write(AlarmMessage message, string language, bool unaccented)
    {
        var words = AlarmWords.In(language);
        var text = "";
        foreach (var length in NameLengths)
        {
            text = Fold(Compose(Shortened(message, length), words), unaccented);
            if (Gsm7.PartsOf(text) <= PartsMax)
            {
                break;
            }
        }

        return text;
    }

    /// <summary>With plain signs where that alone keeps it in the GSM alphabet; otherwise as it is, for it is UCS-2 anyway.</summary>
    private static string Fold(string text, bool unaccented)
    {
        var plain = Gsm7.Plain(text);
        plain = unaccented ? Gsm7.Unaccented(plain) : plain;
        return unaccented || Gsm7.Holds(plain) ? plain : text;
    }

    private static string Compose(AlarmMessage message, AlarmWords words)
    {
        var zone = AlarmWords.ZoneOf(message);
        var said = AlarmText.Of(message, words);
        var (limit, peak) = (words.Number(message.Limit, message.Unit), words.Number(message.Peak, message.Unit));
        var ended = message.Kind == NotificationKind.Ended;
        var extreme = AlarmText.IsAbove(message) ? words.Of($"máximo {peak}", $"highest {peak}") : words.Of($"mínimo {peak}", $"lowest {peak}");
        var figures = message.Withdrawn || ended || message.Kind == NotificationKind.Started ? "" : $", {extreme}";
        var level = ended ? words.Of($"limite para terminar {limit}", $"limit to end {limit}") : words.Of($"limite {limit}", $"limit {limit}");
        var since = words.ShortTime(message.ConditionAt, zone);
        var when = message switch
        {
            { Withdrawn: true } => words.Of($"Início comunicado: {since}", $"Reported start: {since}"),
            { EndedAt: { } endedAt } => words.Of($"De {since} a {words.ShortTime(endedAt, zone)}", $"From {since} to {words.ShortTime(endedAt, zone)}"),
            _ => words.Of($"Desde {since}", $"Since {since}"),
        };
        var note = message switch
        {
            { Overtaken: true } => words.Of(" Já há notícias mais recentes.", " There is later news."),
            { Kind: NotificationKind.Acknowledged } => words.Of($" Por {message.By}.", $" By {message.By}."),
            { Kind: NotificationKind.Past, EndedAt: null } => words.Of(" Não é emergência: dados antigos; não se sabe se continua.", " No emergency: old data; whether it goes on is not known."),
            { Kind: NotificationKind.Past } => words.Of(" Não é emergência: já passou.", " No emergency: it is over."),
            { Kind: NotificationKind.Corrected, Withdrawn: false, EndedAt: null } => words.Of(" Continua ativo.", " Still active."),
            _ => "",
        };
        return message.Withdrawn ? $"{said.Title}. {said.Place}. {when}." : $"{said.Title}{figures}, {level}. {said.Place}. {when}.{note}";
    }

    private static AlarmMessage Shortened(AlarmMessage message, int length) => message with
    {
        MunicipalityName = Cut(message.MunicipalityName, length),
        StationName = Cut(message.StationName, length),
        RuleNamePt = Cut(message.RuleNamePt, length),
        RuleNameEn = Cut(message.RuleNameEn, length),
    };

    private static string Cut(string name, int length)
    {
        if (name.Length <= length)
        {
            return name;
        }

        var end = length - 3;
        return name[..(char.IsLowSurrogate(name[end]) ? end - 1 : end)].TrimEnd() + "...";
    }
}
