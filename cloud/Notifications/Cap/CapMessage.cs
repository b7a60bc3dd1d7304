namespace Hub.Cloud.Notifications.Cap;

/// <summary>An earlier alert that a later one refers to.</summary>
internal sealed record CapReference(string Sender, string Identifier, DateTime SentAt);

/// <summary>What a message about an alarm is as a CAP alert: the choices, without their form.</summary>
/// <param name="Identifier">Unique for each alert of a sender.</param>
/// <param name="Sender">Who sends.</param>
/// <param name="SentAt">UTC, whole seconds.</param>
/// <param name="Type"><c>msgType</c>: Alert, Update or Cancel.</param>
/// <param name="References">What an Update or a Cancel replaces, oldest first; empty for an Alert.</param>
/// <param name="Response"><c>responseType</c>: Monitor, AllClear or None.</param>
/// <param name="Urgency">Immediate or Past.</param>
/// <param name="Severity">Severe, Moderate or Minor. Extreme is not for a single sensor to say.</param>
/// <param name="Certainty">Observed; Unlikely of what never was.</param>
/// <param name="ExpiresAt">UTC; null while the alarm goes on.</param>
internal sealed record CapMessage(
    string Identifier,
    string Sender,
    DateTime SentAt,
    string Type,
    IReadOnlyList<CapReference> References,
    string Response,
    string Urgency,
    string Severity,
    string Certainty,
    DateTime? ExpiresAt)
{
    /// <summary>
    /// Chooses; null where there is nothing to say, because what is withdrawn was never published. Where there is nothing left to update, news is an alert of its own: an update of nothing would be passed over.
    /// </summary>
    public static CapMessage? Of(AlarmMessage message, string identifier, string sender, DateTime sentAt, IReadOnlyList<CapReference> earlier, TimeSpan expiresAfter)
    {
        if (message.Withdrawn && earlier.Count == 0)
        {
            return null;
        }

        var type = message.Withdrawn ? "Cancel" : message.Kind is NotificationKind.Started or NotificationKind.Past || earlier.Count == 0 ? "Alert" : "Update";
        var isActive = message is { Kind: not NotificationKind.Past, EndedAt: null, Withdrawn: false };
        return new CapMessage(
            identifier,
            sender,
            sentAt,
            type,
            type == "Alert" ? [] : earlier,
            isActive ? "Monitor" : message.Withdrawn || message.Kind == NotificationKind.Past ? "None" : "AllClear",
            isActive ? "Immediate" : "Past",
            message.Severity switch { Notifications.Severity.Information => "Minor", Notifications.Severity.Warning => "Moderate", _ => "Severe" },
            message.Withdrawn ? "Unlikely" : "Observed",
            isActive ? null : sentAt + expiresAfter);
    }
}
