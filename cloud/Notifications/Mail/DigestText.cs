using System.Globalization;
using System.Text;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>The words of a mail that tells several alarms at once: a list as text, a table as HTML. Pure.</summary>
internal static class DigestText
{
    /// <summary>Subject and body, as text and as HTML.</summary>
    /// <param name="digest">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="linkOf">Address of the page of a message's station; null for none.</param>
    /// <param name="links">Links of somebody who signed up; null for a subscriber that an operator entered.</param>
    public static (string Subject, string Text, string Html) Write(DigestContent digest, string language, Func<AlarmMessage, string?> linkOf, MailLinks? links)
    {
        var words = AlarmWords.In(language);
        var count = digest.AlarmCount.ToString(CultureInfo.InvariantCulture);
        var municipality = digest.Messages[0].MunicipalityName;
        var subject = digest.AlarmCount == 1 ? words.Of($"Resumo: 1 alarme – {municipality}", $"Summary: 1 alarm – {municipality}") : words.Of($"Resumo: {count} alarmes – {municipality}", $"Summary: {count} alarms – {municipality}");
        var sentences = Sentences(digest, words);
        var lines = digest.Messages.Select(message => Line.Of(message, linkOf(message), words)).ToList();
        var more = digest.AlarmCount > digest.Messages.Count
            ? words.Of($"E mais {digest.AlarmCount - digest.Messages.Count}, que estão nas páginas das estações.", $"And {digest.AlarmCount - digest.Messages.Count} more, which are on the stations' pages.")
            : null;
        return (subject, Text(sentences, lines, more, words, links), Html(sentences, lines, more, words, links));
    }

    private static List<string> Sentences(DigestContent digest, AlarmWords words)
    {
        var active = digest.Messages.Count(message => message.EndedAt is null && !message.Withdrawn && message.Kind != NotificationKind.Past);
        List<string> sentences =
        [
            words.Of(
                "Estes alarmes vêm reunidos numa só mensagem: por serem muitos, por terem surgido nas horas de silêncio ou por serem do passado.",
                "These alarms come gathered in one message: because there are many, because they came in the quiet hours, or because they are of the past."),
            active switch
            {
                0 => words.Of("Nenhum está ativo, tanto quanto se sabe.", "None is active, as far as is known."),
                1 => words.Of("Um ainda está ativo.", "One is still active."),
                _ => words.Of($"{active} ainda estão ativos.", $"{active} are still active."),
            },
        ];
        if (digest.Messages.All(message => message.Kind == NotificationKind.Past))
        {
            sentences.Add(words.Of(
                "Isto não é uma emergência: é o registo de algo que já passou e que só agora se conhece.", "This is not an emergency: it records something in the past that has only now become known."));
        }

        return sentences;
    }

    private static string Text(List<string> sentences, List<Line> lines, string? more, AlarmWords words, MailLinks? links)
    {
        var text = new StringBuilder().AppendJoin(' ', sentences).Append('\n');
        foreach (var line in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{line.State}: {line.Rule}\n    {line.Where}\n    {line.When}\n    {line.Figure}\n");
            if (line.Link is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"    {line.Link}\n");
            }
        }

        if (more is not null)
        {
            text.Append('\n').Append(more).Append('\n');
        }

        return text.Append("\n-- \n").Append(MailText.FooterText(words, links)).ToString();
    }

    private static string Html(List<string> sentences, List<Line> lines, string? more, AlarmWords words, MailLinks? links)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"{words.Of("pt-PT", "en")}\">\n<body style=\"font-family:sans-serif;color:#1a202c;max-width:52em\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<p style=\"border-left:6px solid #4a5568;padding-left:12px;font-size:1.15em\"><strong>{MailText.Safe(string.Join(' ', sentences))}</strong></p>\n");
        html.Append("<table style=\"border-collapse:collapse\">\n<tr>");
        foreach (var head in new[] { words.Of("Estado", "State"), words.Of("Alarme", "Alarm"), words.Of("Local", "Where"), words.Of("Quando", "When"), words.Of("Valor", "Value") })
        {
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\" style=\"text-align:left;padding:4px 1em 4px 0;border-bottom:2px solid #4a5568\">{MailText.Safe(head)}</th>");
        }

        html.Append("</tr>\n");
        foreach (var line in lines)
        {
            var where = line.Link is null ? MailText.Safe(line.Where) : $"<a href=\"{MailText.Safe(line.Link)}\">{MailText.Safe(line.Where)}</a>";
            html.Append("<tr>");
            foreach (var cell in new[] { $"<strong>{MailText.Safe(line.State)}</strong>", MailText.Safe(line.Rule), where, MailText.Safe(line.When), MailText.Safe(line.Figure) })
            {
                html.Append(CultureInfo.InvariantCulture, $"<td style=\"padding:4px 1em 4px 0;border-bottom:1px solid #cbd5e0;vertical-align:top\">{cell}</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</table>\n");
        if (more is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p>{MailText.Safe(more)}</p>\n");
        }

        return html.Append(MailText.FooterHtml(words, links)).Append("</body>\n</html>\n").ToString();
    }

    /// <summary>One alarm.</summary>
    private sealed record Line(string State, string Rule, string Where, string When, string Figure, string? Link)
    {
        public static Line Of(AlarmMessage message, string? link, AlarmWords words)
        {
            var zone = AlarmWords.ZoneOf(message);
            var began = words.Time(message.ConditionAt, zone);
            var state = message switch
            {
                { Withdrawn: true } => words.Of("Anulado", "Withdrawn"),
                { Kind: NotificationKind.Past } => words.Of("Do passado", "Of the past"),
                { EndedAt: null } => words.Of("Ativo", "Active"),
                _ => words.Of("Terminado", "Ended"),
            };
            var figure = message.Kind == NotificationKind.Started
                ? words.Number(message.Value, message.Unit)
                : $"{(AlarmText.IsAbove(message) ? words.Of("máximo", "highest") : words.Of("mínimo", "lowest"))} {words.Number(message.Peak, message.Unit)}";
            return new(
                $"{state} ({AlarmText.SeverityOf(message, words).ToLower(words.Culture)})",
                words.Of(message.RuleNamePt, message.RuleNameEn),
                message.StationName,
                message.EndedAt is { } ended ? $"{began} – {words.Time(ended, zone)}" : words.Of($"desde {began}", $"since {began}"),
                figure,
                link);
        }
    }
}
