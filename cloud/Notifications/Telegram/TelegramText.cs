using System.Text;
using Hub.Cloud.Notifications.Outbox;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>The words of a Telegram message about an alarm, in the HTML that Telegram reads. Pure.</summary>
internal static class TelegramText
{
    /// <summary>Room for the lines of a digest: Telegram takes 4,096 characters, and what comes after them is short.</summary>
    private const int LengthMax = 3_600;

    /// <summary>Writes it.</summary>
    /// <param name="message">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="link">Address of the station's page; null for none.</param>
    public static string Write(AlarmMessage message, string language, string? link)
    {
        var words = AlarmWords.In(language);
        var said = AlarmText.Of(message, words);
        var sign = message.Kind != NotificationKind.Started ? "" : message.Severity switch { Severity.Information => "🔵 ", Severity.Warning => "🟠 ", _ => "🔴 " };
        var text = new StringBuilder().Append(sign).Append("<b>").Append(Safe(said.Title)).Append("</b>\n").Append(Safe(said.Sentence)).Append('\n');
        foreach (var (label, value) in said.Rows)
        {
            text.Append('\n').Append(Safe(label)).Append(": ").Append(Safe(value));
        }

        if (said.Note is { } note)
        {
            text.Append("\n\n<i>").Append(Safe(note)).Append("</i>");
        }

        if (link is not null)
        {
            text.Append("\n\n<a href=\"").Append(Safe(link)).Append("\">").Append(words.Of("Ver a estação", "See the station")).Append("</a>");
        }

        return text.ToString();
    }

    /// <summary>Tells of several alarms: how many, and a line of each as long as there is room.</summary>
    /// <param name="digest">What to say.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    public static string Digest(DigestContent digest, string language)
    {
        var words = AlarmWords.In(language);
        var (count, town) = (digest.AlarmCount, digest.Messages[0].MunicipalityName);
        var text = new StringBuilder().Append("<b>").Append(Safe(count == 1 ? words.Of($"Resumo: 1 alarme – {town}", $"Summary: 1 alarm – {town}") : words.Of($"Resumo: {count} alarmes – {town}", $"Summary: {count} alarms – {town}"))).Append("</b>\n");
        var named = 0;
        foreach (var message in digest.Messages)
        {
            var line = $"\n• {Safe(AlarmText.Of(message, words).Title)}\n{Safe(message.StationName)}, {Safe(words.ShortTime(message.ConditionAt, AlarmWords.ZoneOf(message)))}";
            if (text.Length + line.Length > LengthMax)
            {
                break;
            }

            text.Append(line);
            named++;
        }

        if (count > named)
        {
            text.Append("\n\n").Append(words.Of($"E mais {count - named}.", $"And {count - named} more."));
        }

        if (digest.Messages.All(message => message.Kind == NotificationKind.Past))
        {
            text.Append("\n\n<i>").Append(words.Of("Não é uma emergência: já passou e só agora se conhece.", "This is no emergency: it is over and has only now become known.")).Append("</i>");
        }

        return text.ToString();
    }

    /// <summary>These four are all that Telegram takes for markup.</summary>
    private static string Safe(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal);
}
