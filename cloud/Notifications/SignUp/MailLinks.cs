namespace Hub.Cloud.Notifications.SignUp;

/// <summary>The links that every mail to somebody who signed up carries.</summary>
/// <param name="Unsubscribe">Address that ends the messages; a POST to it does, a GET only asks.</param>
/// <param name="Preferences">Address of the preferences.</param>
internal sealed record MailLinks(string Unsubscribe, string Preferences)
{
    /// <summary>The page below <c>Hub:PublicUrl</c> on which people sign up.</summary>
    public const string SubscribePath = "/subscribe";

    /// <summary>The pages below <c>Hub:PublicUrl</c> to which links lead.</summary>
    public const string ConfirmPath = "/subscribe/confirm";

    /// <summary>The page of the preferences.</summary>
    public const string PreferencesPath = "/subscriptions";

    /// <summary>The page that ends messages.</summary>
    public const string UnsubscribePath = "/unsubscribe";

    /// <summary>The links for one person; the same for every attempt at one message. Pure.</summary>
    /// <param name="key">The key that signs them.</param>
    /// <param name="stamp">The person's.</param>
    /// <param name="queuedAt">When the message was queued, UTC.</param>
    /// <param name="options">Where the pages are, and how long the link to the preferences holds.</param>
    public static MailLinks Of(byte[] key, Guid stamp, DateTime queuedAt, NotificationsOptions options)
    {
        var root = options.PublicUrl.TrimEnd('/');
        return new(
            $"{root}{UnsubscribePath}?t={SignedToken.Make(key, LinkPurpose.Unsubscribe, stamp, null)}",
            $"{root}{PreferencesPath}?t={SignedToken.Make(key, LinkPurpose.Preferences, stamp, queuedAt + options.SignUp.PreferencesLinkKeep)}");
    }
}
