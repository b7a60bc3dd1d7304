using System.Globalization;
using System.Net;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>The words of the two mails that answer a request, in Portuguese or English. Pure.</summary>
internal static class LetterText
{
    /// <summary>Asks to confirm: what was asked for, the link, until when, and what to do about a mail nobody asked for.</summary>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="municipality">Name shown to people.</param>
    /// <param name="summary">What was asked for, in words.</param>
    /// <param name="link">Address that confirms.</param>
    /// <param name="within">How long it holds.</param>
    public static (string Subject, string Text, string Html) Confirm(string language, string municipality, string summary, string link, TimeSpan within)
    {
        var hours = ((int)within.TotalHours).ToString(CultureInfo.InvariantCulture);
        return language == "pt"
            ? Write(
                language, $"Confirme os alertas de {municipality}",
                [$"Pediu para receber, neste endereço, alertas do município de {municipality}:", $"    {summary}", "Para começar a recebê-los, abra esta página e prima o botão:"],
                link, "Confirmar",
                [$"A ligação é válida durante {hours} horas. Se não foi a pessoa que fez o pedido, não faça nada: não receberá alertas, e o pedido e o seu endereço são apagados."])
            : Write(
                language, $"Confirm the alerts of {municipality}",
                [$"You asked to receive alerts of the municipality of {municipality} at this address:", $"    {summary}", "To start receiving them, open this page and press the button:"],
                link, "Confirm",
                [$"The link works for {hours} hours. If it was not you who asked, do nothing: you will get no alerts, and the request and your address are deleted."]);
    }

    /// <summary>Gives the link to the preferences.</summary>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="link">Address of the preferences.</param>
    public static (string Subject, string Text, string Html) Preferences(string language, string link) => language == "pt"
        ? Write(
            language, "As suas subscrições de alertas",
            ["Pediu a ligação para ver e alterar as suas subscrições de alertas, fazer uma pausa ou apagar tudo:"], link, "Ver as subscrições",
            ["Quem tiver esta ligação pode alterar as suas subscrições: não a reencaminhe. Se não fez o pedido, não precisa de fazer nada."])
        : Write(
            language, "Your alert subscriptions",
            ["You asked for the link to see and change your alert subscriptions, to pause, or to delete everything:"], link, "See the subscriptions",
            ["Whoever has this link can change your subscriptions: do not forward it. If you did not ask for it, there is nothing you need to do."]);

    private static (string Subject, string Text, string Html) Write(string language, string subject, string[] before, string link, string button, string[] after)
    {
        var footer = language == "pt" ? "Mensagem automática da plataforma Hub." : "Automatic message from Hub.";
        var text = string.Join("\n\n", [.. before, link, .. after]) + $"\n\n-- \n{footer}\n";
        var html = string.Create(CultureInfo.InvariantCulture, $"""
            <!DOCTYPE html>
            <html lang="{(language == "pt" ? "pt-PT" : "en")}">
            <body style="font-family:sans-serif;color:#1a202c;max-width:36em">
            {string.Join('\n', before.Select(Paragraph))}
            <p><a href="{WebUtility.HtmlEncode(link)}" style="display:inline-block;padding:10px 18px;border-radius:8px;background:#0b5f69;color:#ffffff;text-decoration:none;font-weight:bold">{WebUtility.HtmlEncode(button)}</a></p>
            {string.Join('\n', after.Select(Paragraph))}
            <p style="color:#4a5568;font-size:0.9em">{WebUtility.HtmlEncode(footer)}</p>
            </body>
            </html>

            """).ReplaceLineEndings("\n");
        return (subject, text, html);
    }

    private static string Paragraph(string text) => text.StartsWith(' ')
        ? $"<p style=\"border-left:6px solid #0b5f69;padding-left:12px;font-size:1.1em\"><strong>{WebUtility.HtmlEncode(text.Trim())}</strong></p>"
        : $"<p>{WebUtility.HtmlEncode(text)}</p>";
}
