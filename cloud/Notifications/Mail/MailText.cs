using System.Globalization;
using System.Net;
using System.Text;
using Hub.Cloud.Notifications.SignUp;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>The words of a mail about an alarm, in Portuguese or English: what, where, how much against which limit, since when; understood in five seconds. Pure.</summary>
internal static class MailText
{
    private static readonly CultureInfo Portuguese = CultureInfo.GetCultureInfo("pt-PT");
    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en-GB");

    /// <summary>Subject and body, as text and as HTML.</summary>
    /// <param name="message">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="link">Address of the station's page; null for none.</param>
    /// <param name="links">Links of somebody who signed up; null for a subscriber that an operator entered.</param>
    public static (string Subject, string Text, string Html) Write(AlarmMessage message, string language, string? link, MailLinks? links = null)
    {
        var words = Words.In(language);
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(message.Zone, out var found) ? found : TimeZoneInfo.Utc;
        var (title, sentence) = Headline(message, words);
        var rows = Rows(message, words, zone);
        var note = Note(message, words);
        var rule = words.Of(message.RuleNamePt, message.RuleNameEn);
        var place = rule.Contains(message.StationName, StringComparison.OrdinalIgnoreCase) ? message.MunicipalityName : $"{message.StationName}, {message.MunicipalityName}";
        return ($"{title} – {place}", Text(sentence, rows, note, link, words, links), Html(sentence, rows, note, link, words, message, links));
    }

    private static (string Title, string Sentence) Headline(AlarmMessage message, Words words)
    {
        var rule = words.Of(message.RuleNamePt, message.RuleNameEn);
        var (value, limit, peak) = (words.Number(message.Value, message.Unit), words.Number(message.Limit, message.Unit), words.Number(message.Peak, message.Unit));
        var side = message.Value.CompareTo(message.Limit) switch
        {
            > 0 => words.Of("acima do limite de", "above the limit of"),
            0 => words.Of("no limite de", "at the limit of"),
            _ => words.Of("abaixo do limite de", "below the limit of"),
        };
        var extreme = IsAbove(message) ? words.Of($"máximo de {peak}", $"highest {peak}") : words.Of($"mínimo de {peak}", $"lowest {peak}");
        return message.Kind switch
        {
            NotificationKind.Started => ($"{SeverityOf(message, words)}: {rule}, {value}", $"{rule}: {value}, {side} {limit}."),
            NotificationKind.Ended => (
                words.Of($"Terminou: {rule}, {value}", $"Ended: {rule}, {value}"),
                words.Of($"O alarme terminou. {rule}: {value}.", $"The alarm has ended. {rule}: {value}.")),
            NotificationKind.Past when message.EndedAt is null => (
                words.Of($"Dados atrasados: {rule}", $"Late data: {rule}"),
                words.Of($"Dados que chegaram com atraso mostram um alarme. {rule}: {extreme}. Não se sabe se continua.", $"Data that arrived late shows an alarm. {rule}: {extreme}. Whether it goes on is not known.")),
            NotificationKind.Past => (
                words.Of($"Já terminado: {rule}", $"Already over: {rule}"),
                words.Of($"Dados que chegaram com atraso mostram um alarme que já terminou. {rule}: {extreme}.", $"Data that arrived late shows an alarm that is already over. {rule}: {extreme}.")),
            _ when message.Withdrawn => (
                words.Of($"Anulado: {rule}", $"Withdrawn: {rule}"),
                words.Of($"O alarme comunicado antes fica sem efeito: {rule}.", $"The alarm reported before is withdrawn: {rule}.")),
            _ => (
                words.Of($"Correção: {rule}", $"Correction: {rule}"),
                words.Of($"Dados posteriores corrigem o alarme comunicado antes. {rule}: {extreme}.", $"Later data corrects the alarm reported before. {rule}: {extreme}.")),
        };
    }

    public static string SeverityOf(AlarmMessage message, Words words) => message.Severity switch
    {
        Severity.Information => words.Of("Informação", "Information"),
        Severity.Warning => words.Of("Aviso", "Warning"),
        _ => words.Of("Alerta", "Alert"),
    };

    /// <summary>Whether the rule watches for values above its level: the most extreme value is then at or above it.</summary>
    public static bool IsAbove(AlarmMessage message) => message.Peak >= message.Limit;

    private static List<(string Label, string Value)> Rows(AlarmMessage message, Words words, TimeZoneInfo zone)
    {
        var ended = message.Kind == NotificationKind.Ended;
        var rows = new List<(string, string)>
        {
            (words.Of("Local", "Where"), $"{message.StationName}, {message.MunicipalityName}"),
            (words.Of("Grandeza", "Quantity"), QuantityCatalogue.TryGet(message.Property, out var quantity) ? words.Of(quantity.NamePt, quantity.NameEn) : message.Property),
        };
        if (ended || message.Kind == NotificationKind.Started)
        {
            rows.Add((words.Of("Valor", "Value"), words.Number(message.Value, message.Unit)));
        }

        rows.Add((ended ? words.Of("Limite para terminar", "Limit to end") : words.Of("Limite", "Limit"), words.Number(message.Limit, message.Unit)));
        if (message.Kind != NotificationKind.Started && !message.Withdrawn)
        {
            rows.Add((IsAbove(message) ? words.Of("Máximo", "Highest") : words.Of("Mínimo", "Lowest"), words.Number(message.Peak, message.Unit)));
        }

        if (message.EndedAt is { } endedAt && !message.Withdrawn)
        {
            var toTheSecond = endedAt - message.ConditionAt < TimeSpan.FromMinutes(5);
            rows.Add((words.Of("Início", "Began"), words.Time(message.ConditionAt, zone, toTheSecond)));
            rows.Add((words.Of("Fim", "Ended"), words.Time(endedAt, zone, toTheSecond)));
            rows.Add((words.Of("Duração", "Duration"), Duration(endedAt - message.ConditionAt)));
        }
        else
        {
            rows.Add((message.Withdrawn ? words.Of("Início comunicado", "Reported start") : words.Of("Desde", "Since"), words.Time(message.ConditionAt, zone)));
        }

        return rows;
    }

    private static string? Note(AlarmMessage message, Words words) => message switch
    {
        { Kind: NotificationKind.Past, EndedAt: null } => words.Of(
            "Isto não é uma emergência: os dados são antigos e só agora chegaram.", "This is not an emergency: the data is old and has only now arrived."),
        { Kind: NotificationKind.Past } => words.Of(
            "Isto não é uma emergência: é o registo de algo que já passou e que só agora se conhece.", "This is not an emergency: it records something in the past that has only now become known."),
        { Withdrawn: true } => words.Of(
            "O alarme comunicado antes já não corresponde às observações ou à regra atual.", "The alarm reported before no longer agrees with the observations or with the rule as it is now."),
        { Kind: NotificationKind.Corrected, EndedAt: null } => words.Of("O alarme continua ativo.", "The alarm is still active."),
        _ => null,
    };

    private static string Text(string sentence, List<(string Label, string Value)> rows, string? note, string? link, Words words, MailLinks? links)
    {
        var text = new StringBuilder().Append(sentence).Append("\n\n");
        var width = rows.Max(row => row.Label.Length) + 2;
        foreach (var (label, value) in rows)
        {
            text.Append($"{label}:".PadRight(width)).Append(value).Append('\n');
        }

        if (note is not null)
        {
            text.Append('\n').Append(note).Append('\n');
        }

        if (link is not null)
        {
            text.Append('\n').Append(words.Of("Ver a estação: ", "See the station: ")).Append(link).Append('\n');
        }

        return text.Append("\n-- \n").Append(FooterText(words, links)).ToString();
    }

    private static string Html(string sentence, List<(string Label, string Value)> rows, string? note, string? link, Words words, AlarmMessage message, MailLinks? links)
    {
        var colour = message.Kind != NotificationKind.Started ? "#4a5568" : message.Severity switch { Severity.Information => "#1d4ed8", Severity.Warning => "#b45309", _ => "#b91c1c" };
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"{words.Of("pt-PT", "en")}\">\n<body style=\"font-family:sans-serif;color:#1a202c;max-width:36em\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<p style=\"border-left:6px solid {colour};padding-left:12px;font-size:1.15em\"><strong>{Safe(sentence)}</strong></p>\n<table>\n");
        foreach (var (label, value) in rows)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\" style=\"text-align:left;padding-right:1em\">{Safe(label)}</th><td>{Safe(value)}</td></tr>\n");
        }

        html.Append("</table>\n");
        if (note is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p>{Safe(note)}</p>\n");
        }

        if (link is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Safe(link)}\">{words.Of("Ver a estação", "See the station")}</a></p>\n");
        }

        return html.Append(FooterHtml(words, links)).Append("</body>\n</html>\n").ToString();
    }

    /// <summary>Why somebody gets the mail and, for who signed up, how to end it or change it: as text.</summary>
    public static string FooterText(Words words, MailLinks? links) => links is null
        ? $"{Footer(words)}\n"
        : $"{SignedUpFooter(words)}\n{words.Of("Alterar ou fazer uma pausa: ", "Change or pause: ")}{links.Preferences}\n{words.Of("Deixar de receber: ", "Unsubscribe: ")}{links.Unsubscribe}\n";

    /// <summary>The same as HTML.</summary>
    public static string FooterHtml(Words words, MailLinks? links) => links is null
        ? $"<p style=\"color:#4a5568;font-size:0.9em\">{Safe(Footer(words))}</p>\n"
        : $"<p style=\"color:#4a5568;font-size:0.9em\">{Safe(SignedUpFooter(words))}<br>\n<a href=\"{Safe(links.Preferences)}\">{words.Of("Alterar ou fazer uma pausa", "Change or pause")}</a> · "
            + $"<a href=\"{Safe(links.Unsubscribe)}\">{words.Of("Deixar de receber", "Unsubscribe")}</a></p>\n";

    private static string SignedUpFooter(Words words) => words.Of(
        "Mensagem automática da plataforma Hub. Recebe-a porque pediu alertas deste município.", "Automatic message from Hub. You receive it because you asked for alerts of this municipality.");

    private static string Footer(Words words) => words.Of(
        "Mensagem automática da plataforma Hub. Recebe-a porque subscreve os alarmes deste município.", "Automatic message from Hub. You receive it because you subscribe to the alarms of this municipality.");

    /// <summary>Days, hours and minutes, or seconds: the same in both languages.</summary>
    private static string Duration(TimeSpan duration)
    {
        var (days, hours, minutes) = (duration.Days, duration.Hours, duration.Minutes);
        string[] parts = duration < TimeSpan.FromMinutes(1) ? [$"{duration.Seconds} s"] : [days > 0 ? $"{days} d" : "", hours > 0 ? $"{hours} h" : "", minutes > 0 ? $"{minutes} min" : ""];
        return string.Join(' ', parts.Where(part => part.Length > 0));
    }

    public static string Safe(string text) => WebUtility.HtmlEncode(text);

    /// <summary>How one of the two languages writes.</summary>
    internal sealed class Words(CultureInfo culture, bool portuguese)
    {
        /// <summary>The words of <c>pt</c> or <c>en</c>.</summary>
        public static Words In(string language) => new(language == "pt" ? Portuguese : English, language == "pt");

        /// <summary>How numbers and dates are written.</summary>
        public CultureInfo Culture => culture;

        /// <summary>The one of two texts that is in the language.</summary>
        public string Of(string pt, string en) => portuguese ? pt : en;

        /// <summary>A value with its unit: one decimal from 100 up and for sound levels, otherwise two, trailing zeros left out; a no-break space before the unit, none before % and °.</summary>
        public string Number(double value, string unit)
        {
            var number = value.ToString(Math.Abs(value) >= 100 || unit.StartsWith("dB", StringComparison.Ordinal) ? "0.#" : "0.##", culture);
            return unit.Length == 0 ? number : unit is "°" || (unit is "%" && !portuguese) ? number + unit : $"{number}\u00a0{unit}";
        }

        /// <summary>Local time with its offset, so that it is unambiguous in the hour that happens twice; with seconds where minutes would not tell start from end.</summary>
        public string Time(DateTime utc, TimeZoneInfo zone, bool toTheSecond = false)
        {
            var offset = zone.GetUtcOffset(utc);
            var local = DateTime.SpecifyKind(utc + offset, DateTimeKind.Unspecified);
            var sign = offset < TimeSpan.Zero ? "−" : "+";
            var hours = offset.Duration();
            var shift = hours == TimeSpan.Zero ? "UTC" : $"UTC{sign}{(int)hours.TotalHours}{(hours.Minutes == 0 ? "" : $":{hours.Minutes:00}")}";
            var pattern = (portuguese ? "d 'de' MMMM 'de' yyyy, HH:mm" : "d MMMM yyyy, HH:mm") + (toTheSecond ? ":ss" : "");
            return $"{local.ToString(pattern, culture)} ({shift})";
        }
    }
}
