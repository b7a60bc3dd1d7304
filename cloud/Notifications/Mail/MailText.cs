using System.Globalization;
using System.Net;
using System.Text;
using Hub.Cloud.Notifications.SignUp;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>The words of a mail about an alarm, in Portuguese or English. Pure.</summary>
internal static class MailText
{
    /// <summary>Subject and body, as text and as HTML.</summary>
    /// <param name="message">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="link">Address of the station's page; null for none.</param>
    /// <param name="acknowledgeUrl">Link by which the receiver acknowledges the alarm; null for none.</param>
    /// <param name="links">Links of somebody who signed up; null for a subscriber that an operator entered.</param>
    /// <param name="picture">How the value went, attached under <see cref="PictureId"/>; null for none.</param>
    public static (string Subject, string Text, string Html) Write(AlarmMessage message, string language, string? link, string? acknowledgeUrl = null, MailLinks? links = null, AlarmPicture? picture = null)
    {
        var words = AlarmWords.In(language);
        var text = AlarmText.Of(message, words);
        return ($"{text.Title} – {text.Place}", Text(text, link, acknowledgeUrl, words, links), Html(text, link, acknowledgeUrl, words, message, links, picture));
    }

    private static string Text(AlarmText said, string? link, string? acknowledgeUrl, AlarmWords words, MailLinks? links)
    {
        var text = new StringBuilder().Append(said.Sentence).Append("\n\n");
        var width = said.Rows.Max(row => row.Label.Length) + 2;
        foreach (var (label, value) in said.Rows)
        {
            text.Append($"{label}:".PadRight(width)).Append(value).Append('\n');
        }

        if (said.Note is { } note)
        {
            text.Append('\n').Append(note).Append('\n');
        }

        if (link is not null)
        {
            text.Append('\n').Append(words.Of("Ver a estação: ", "See the station: ")).Append(link).Append('\n');
        }

        if (acknowledgeUrl is not null)
        {
            text.Append('\n').Append(words.Of("Reconhecer o alarme: ", "Acknowledge the alarm: ")).Append(acknowledgeUrl).Append('\n');
        }

        return text.Append("\n-- \n").Append(FooterText(words, links)).ToString();
    }

    private static string Html(AlarmText said, string? link, string? acknowledgeUrl, AlarmWords words, AlarmMessage message, MailLinks? links, AlarmPicture? picture)
    {
        var colour = message.Kind != NotificationKind.Started ? "#4a5568" : message.Severity switch { Severity.Information => "#1d4ed8", Severity.Warning => "#b45309", _ => "#b91c1c" };
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"{words.Of("pt-PT", "en")}\">\n<body style=\"font-family:sans-serif;color:#1a202c;max-width:36em\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<p style=\"border-left:6px solid {colour};padding-left:12px;font-size:1.15em\"><strong>{Safe(said.Sentence)}</strong></p>\n<table>\n");
        foreach (var (label, value) in said.Rows)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\" style=\"text-align:left;padding-right:1em\">{Safe(label)}</th><td>{Safe(value)}</td></tr>\n");
        }

        html.Append("</table>\n");
        if (picture is not null)
        {
            html.Append(PictureHtml(picture, message, words));
        }

        if (said.Note is { } note)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p>{Safe(note)}</p>\n");
        }

        if (link is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Safe(link)}\">{words.Of("Ver a estação", "See the station")}</a></p>\n");
        }

        if (acknowledgeUrl is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Safe(acknowledgeUrl)}\">{words.Of("Reconhecer o alarme", "Acknowledge the alarm")}</a></p>\n");
        }

        return html.Append(FooterHtml(words, links)).Append("</body>\n</html>\n").ToString();
    }

    /// <summary>Content-ID of the picture.</summary>
    public const string PictureId = "course@hub";

    private static string PictureHtml(AlarmPicture picture, AlarmMessage message, AlarmWords words)
    {
        var zone = AlarmWords.ZoneOf(message);
        var (low, high) = (words.Number(picture.Low, message.Unit), words.Number(picture.High, message.Unit));
        var caption = words.Of($"Nestas 24 horas, de {low} a {high}.", $"In these 24 hours, from {low} to {high}.");
        if (message.DrawnLevel is { } level)
        {
            caption += words.Of($" A linha tracejada é o limite de {words.Number(level, message.Unit)}.", $" The dashed line is the limit of {words.Number(level, message.Unit)}.");
        }

        caption += words.Of(" A faixa rosada é o tempo do alarme.", " The pink stretch is the time of the alarm.");
        const string Small = "color:#4a5568;font-size:0.85em";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<table role=\"presentation\" width=\"{(AlarmPicture.Width / 2) + 2}\" style=\"border-collapse:collapse;margin-top:1em\">\n<tr><td colspan=\"2\" style=\"padding:0\"><img src=\"cid:{PictureId}\" width=\"{AlarmPicture.Width / 2}\" height=\"{AlarmPicture.Height / 2}\" "
            + $"alt=\"{Safe(caption)}\" style=\"display:block;max-width:100%;height:auto;border:1px solid #cbd5e0\"></td></tr>\n"
            + $"<tr><td style=\"{Small};padding:2px 0\">{Safe(words.ShortTime(picture.From, zone))}</td><td style=\"{Small};padding:2px 0;text-align:right\">{Safe(words.ShortTime(picture.To, zone))}</td></tr>\n"
            + $"<tr><td colspan=\"2\" style=\"{Small};padding:0\">{Safe(caption)}</td></tr>\n</table>\n");
    }

    /// <summary>Why somebody gets the mail and, for who signed up, how to end it or change it: as text.</summary>
    public static string FooterText(AlarmWords words, MailLinks? links) => links is null
        ? $"{Footer(words)}\n"
        : $"{SignedUpFooter(words)}\n{words.Of("Alterar ou fazer uma pausa: ", "Change or pause: ")}{links.Preferences}\n{words.Of("Deixar de receber: ", "Unsubscribe: ")}{links.Unsubscribe}\n";

    /// <summary>The same as HTML.</summary>
    public static string FooterHtml(AlarmWords words, MailLinks? links) => links is null
        ? $"<p style=\"color:#4a5568;font-size:0.9em\">{Safe(Footer(words))}</p>\n"
        : $"<p style=\"color:#4a5568;font-size:0.9em\">{Safe(SignedUpFooter(words))}<br>\n<a href=\"{Safe(links.Preferences)}\">{words.Of("Alterar ou fazer uma pausa", "Change or pause")}</a> · "
            + $"<a href=\"{Safe(links.Unsubscribe)}\">{words.Of("Deixar de receber", "Unsubscribe")}</a></p>\n";

    /// <summary>Text as it may stand in HTML.</summary>
    public static string Safe(string text) => WebUtility.HtmlEncode(text);

    private static string SignedUpFooter(AlarmWords words) => words.Of(
        "Mensagem automática da plataforma Hub. Recebe-a porque pediu alertas deste município.", "Automatic message from Hub. You receive it because you asked for alerts of this municipality.");

    private static string Footer(AlarmWords words) => words.Of(
        "Mensagem automática da plataforma Hub. Recebe-a porque subscreve os alarmes deste município.", "Automatic message from Hub. You receive it because you subscribe to the alarms of this municipality.");
}
