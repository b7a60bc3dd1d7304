using System.Text.Json;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>What the Bot API says of a request; each member null or empty where it does not say it.</summary>
/// <param name="Description">What is wrong.</param>
/// <param name="MessageId">Number of the message within its chat.</param>
/// <param name="RetryAfter">Earliest time for the next attempt.</param>
/// <param name="MigrateTo">The supergroup that a group has become.</param>
internal sealed record TelegramAnswer(string Description, long? MessageId, TimeSpan? RetryAfter, long? MigrateTo)
{
    private static readonly TelegramAnswer Nothing = new("", null, null, null);

    /// <summary>Reads one; whatever is no answer of the Bot API says nothing.</summary>
    public static TelegramAnswer Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            var description = Member(root, "description") is { ValueKind: JsonValueKind.String } said ? said.GetString()! : "";
            var parameters = Member(root, "parameters");

            // A wait of more than a day is a day for the outbox anyway.
            return new TelegramAnswer(
                description, Number(Member(root, "result"), "message_id"), Number(parameters, "retry_after") is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86_400)) : null,
                Number(parameters, "migrate_to_chat_id"));
        }
        catch (JsonException)
        {
            return Nothing;
        }
    }

    /// <summary>The result of a request that was done; null where the answer is none of the Bot API's.</summary>
    public static JsonElement? ResultOf(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Member(document.RootElement, "result")?.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A member of an object; null where there is none, or no object.</summary>
    public static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var found) ? found : null;

    /// <summary>A member that is a whole number; null where it is none.</summary>
    public static long? Number(JsonElement? parent, string name) => Member(parent, name) is { ValueKind: JsonValueKind.Number } found && found.TryGetInt64(out var number) ? number : null;
}
