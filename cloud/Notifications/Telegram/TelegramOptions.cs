using System.Text.RegularExpressions;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>Settings of the Telegram channel, under <c>Hub:Notifications:Telegram</c>.</summary>
public sealed partial class TelegramOptions
{
    /// <summary>Token of the bot as its maker got it, <c>123456:ABC...</c>; empty (default): there is none, and no subscriber can ask for Telegram. Never logged, and taken out of answers.</summary>
    public string Token { get; set; } = "";

    /// <summary>Address of the Bot API, https, or http on this machine for a Bot API server of one's own. Default <c>https://api.telegram.org</c>.</summary>
    public string BaseUrl { get; set; } = "https://api.telegram.org";

    /// <summary>
    /// Messages of the bot in a minute, 0 to 60,000, evenly: in a second at most a sixtieth of them, rounded up. Default 1500, 25 a second: Telegram lets a bot send about 30 a second
    /// (core.telegram.org/bots/faq, "My bot is hitting limits"). 0: no limit. Past it messages wait.
    /// </summary>
    public int PerMinuteMax { get; set; } = 1_500;

    /// <summary>Time for one attempt, from the connection to the end of the answer. 1 to 60 seconds; default 15.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    internal bool IsConfigured => Token.Length > 0;

    /// <summary>What is wrong: the setting below this section, and why. The token is in no reason.</summary>
    internal IEnumerable<(string Setting, string Reason)> Faults()
    {
        if (Token.Length > 0 && !TokenForm().IsMatch(Token))
        {
            yield return (nameof(Token), "must be a number, a colon and at least 20 letters, digits, - or _, as the bot's maker was told it");
        }

        if (!Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) || url.Query.Length > 0 || url.UserInfo.Length > 0 || !(url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback)))
        {
            yield return (nameof(BaseUrl), "must be an https address, or an http address on this machine: the token travels in it");
        }

        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromSeconds(60))
        {
            yield return (nameof(Timeout), "must be 1 to 60 seconds");
        }
    }

    [GeneratedRegex("^[0-9]+:[A-Za-z0-9_-]{20,}$", RegexOptions.CultureInvariant)]
    private static partial Regex TokenForm();
}
