using System.Text;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>The words of a Telegram message about an alarm, in the HTML that Telegram reads. Pure.</summary>
internal static class TelegramText
{
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

    /// <summary>These four are all that Telegram takes for markup.</summary>
    private static string Safe(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal);
}
