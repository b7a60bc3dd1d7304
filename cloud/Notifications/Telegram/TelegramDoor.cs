using System.Globalization;
using Hub.Cloud.Notifications.SignUp;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>
/// Hears what people write to the bot and answers: <c>/start</c> with the token of a request confirms it, <c>/settings</c> gives the link to the preferences, <c>/stop</c> deletes everything that is kept about the person. It runs where
/// people may sign up for Telegram, and where some did before it was switched off: they must be able to leave. A message that was dealt with in the moment of a crash comes again: its token is then used, and the answer says that the alerts come.
/// </summary>
internal sealed class TelegramDoor(
    TelegramBot bot, SignUpDesk desk, TimeProvider time, IOptions<NotificationsOptions> options, ILogger<TelegramDoor> logger) : BackgroundService
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryMax = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (!options.Value.Telegram.IsConfigured)
        {
            return;
        }

        var isOffered = options.Value.SignUpEnabled && options.Value.SignUpChannels.Contains(ChannelKind.Telegram);
        var (next, retry) = (0L, RetryMin);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (bot.Name is null)
                {
                    if (!isOffered && !await desk.HasChatsAsync(stoppingToken).ConfigureAwait(false))
                    {
                        // Whoever else may listen to this bot is not disturbed.
                        return;
                    }

                    await bot.AskNameAsync(stoppingToken).ConfigureAwait(false);
                    TelegramDoorLog.Open(logger, bot.Name!);
                }

                var news = await bot.NewsAsync(next, stoppingToken).ConfigureAwait(false);
                foreach (var message in news.Messages)
                {
                    await HearAsync(message, stoppingToken).ConfigureAwait(false);
                }

                // Only what has been dealt with is not asked for again.
                (next, retry) = (news.Next, RetryMin);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is (Telegram away, another hub with the same bot, database busy): what was written waits at Telegram for a day.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                var wait = (exception as TelegramException)?.RetryAfter is { } asked && asked > retry ? asked : retry;
                TelegramDoorLog.NotHeard(logger, exception is TelegramException ? null : exception, exception.Message, wait);
                await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
            }
        }
    }

    private async Task HearAsync(ChatMessage message, CancellationToken stop)
    {
        // In a chat a command may be written with the bot's name behind it.
        var (command, argument) = message.Text.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) switch
        {
            [var one, var other] => (one, other),
            [var one] => (one, ""),
            _ => ("", ""),
        };
        var answer = command.Split('@')[0].ToLowerInvariant() switch
        {
            "/start" when argument.Length > 0 => await ConfirmAsync(message, argument, stop).ConfigureAwait(false),
            "/settings" or "/preferencias" => await SettingsAsync(message, stop).ConfigureAwait(false),
            "/stop" or "/parar" => await StopAsync(message, stop).ConfigureAwait(false),
            _ => await HelpAsync(message, stop).ConfigureAwait(false),
        };
        try
        {
            await bot.AnswerAsync(message.Chat, answer, stop).ConfigureAwait(false);
        }
        catch (TelegramException exception)
        {
            // Whoever has left the chat in between is not answered; what was asked for is done.
            TelegramDoorLog.NotAnswered(logger, exception.Message);
        }
    }

    private async Task<string> ConfirmAsync(ChatMessage message, string token, CancellationToken stop)
    {
        var (outcome, language) = await desk.ConfirmChatAsync(token, message.Chat, stop).ConfigureAwait(false);
        if (outcome == ConfirmOutcome.Unknown && await desk.ChatAsync(message.Chat, stop).ConfigureAwait(false) is { } known)
        {
            return AlarmWords.In(known.Language).Of("Já está: os alertas chegam a esta conversa. /settings mostra-os, /stop apaga tudo.", "It is done already: the alerts come to this chat. /settings shows them, /stop deletes everything.");
        }

        var words = AlarmWords.In(language ?? message.Language);
        return outcome switch
        {
            ConfirmOutcome.Confirmed => words.Of(
                "Confirmado: os alertas chegam a esta conversa.\n\n/settings para os ver, alterar ou fazer uma pausa\n/stop para deixar de os receber e apagar tudo",
                "Confirmed: the alerts come to this chat.\n\n/settings to see and change them, or to pause\n/stop to end them and delete everything"),
            ConfirmOutcome.Full => words.Of("Não há lugar para mais uma subscrição: apague uma das suas em /settings, ou tente mais tarde.", "There is no room for another subscription: delete one of yours in /settings, or try later."),
            _ => words.Of($"Esta ligação já não é válida. Peça os alertas outra vez: {Page}", $"This link does not work any more. Ask for the alerts again: {Page}"),
        };
    }

    private async Task<string> SettingsAsync(ChatMessage message, CancellationToken stop)
    {
        if (await desk.ChatAsync(message.Chat, stop).ConfigureAwait(false) is not { } person)
        {
            return Nothing(message);
        }

        var days = (int)options.Value.SignUp.PreferencesLinkKeep.TotalDays;
        return AlarmWords.In(person.Language).Of(
            string.Create(CultureInfo.InvariantCulture, $"Os seus alertas, por uma ligação só sua, válida {days} dias:\n{person.Preferences}"),
            string.Create(CultureInfo.InvariantCulture, $"Your alerts, by a link that is yours alone and works for {days} days:\n{person.Preferences}"));
    }

    private async Task<string> StopAsync(ChatMessage message, CancellationToken stop)
    {
        var language = await desk.ForgetChatAsync(message.Chat, stop).ConfigureAwait(false);
        return language is null ? Nothing(message) : AlarmWords.In(language).Of("Feito: não recebe mais alertas e tudo foi apagado.", "Done: you get no more alerts, and everything was deleted.");
    }

    private async Task<string> HelpAsync(ChatMessage message, CancellationToken stop) => await desk.ChatAsync(message.Chat, stop).ConfigureAwait(false) is { } person
        ? AlarmWords.In(person.Language).Of("/settings para ver, alterar ou fazer uma pausa nos alertas\n/stop para deixar de os receber e apagar tudo", "/settings to see, change or pause the alerts\n/stop to end them and delete everything")
        : Nothing(message);

    private string Nothing(ChatMessage message) => AlarmWords.In(message.Language).Of(
        $"Nesta conversa não há alertas. Escolha os que quer receber: {Page}", $"There are no alerts in this chat. Choose which ones to get: {Page}");

    private string Page => options.Value.PublicUrl.TrimEnd('/') + MailLinks.SubscribePath;
}
