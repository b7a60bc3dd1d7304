using System.Net;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>Whether the hub lets people sign up, and what a page must tell them first.</summary>
/// <param name="Enabled">Whether it does.</param>
/// <param name="ConfirmWithin">How long a confirmation link holds; then what was asked for is forgotten.</param>
/// <param name="LogKeep">How long lines of the delivery log are kept.</param>
/// <param name="Controller">Who is responsible for the data (GDPR, article 13): name; empty when not set, which stands for the municipality.</param>
/// <param name="ControllerContact">How to reach them: mail address, telephone or web address.</param>
/// <param name="MessagesPerHourMax">Messages to one person in an hour before they are gathered.</param>
public sealed record SignUpOffer(bool Enabled, TimeSpan ConfirmWithin, TimeSpan LogKeep, string Controller, string ControllerContact, int MessagesPerHourMax);

/// <summary>What somebody asks for on a page.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="MunicipalityName">Name shown to people.</param>
/// <param name="Channel">How; a channel in <see cref="ISignUp.Channels"/>.</param>
/// <param name="Target">E-mail address as typed.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>.</param>
/// <param name="Wish">What is wanted.</param>
/// <param name="Quiet">Hours in which nothing is sent; null for none.</param>
/// <param name="Summary">The wish in words, in <paramref name="Language"/>, for the confirmation mail; at most 300 characters, never anything that was typed.</param>
public sealed record SignUpRequest(string Municipality, string MunicipalityName, ChannelKind Channel, string Target, string Language, Wish Wish, QuietHours? Quiet, string Summary);

/// <summary>What became of a request. Says nothing about the address it was for.</summary>
public enum RequestOutcome
{
    /// <summary>Taken: if there is something to send to the address, it is sent.</summary>
    Taken,

    /// <summary>Too many requests from the same source: try again within the hour.</summary>
    Busy,
}

/// <summary>A request that waits to be confirmed.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="MunicipalityName">Name shown to people.</param>
/// <param name="TargetMasked">To whom, masked.</param>
/// <param name="Language">Language of the messages.</param>
/// <param name="Wish">What is wanted.</param>
/// <param name="Quiet">Hours in which nothing is sent; null for none.</param>
/// <param name="ExpiresAt">UTC; forgotten then.</param>
public sealed record PendingSignUp(string Municipality, string MunicipalityName, string TargetMasked, string Language, Wish Wish, QuietHours? Quiet, DateTime ExpiresAt);

/// <summary>What became of a confirmation.</summary>
public enum ConfirmOutcome
{
    /// <summary>Messages are sent from now on.</summary>
    Confirmed,

    /// <summary>The link does not hold: used before, expired, or not ours.</summary>
    Unknown,

    /// <summary>The municipality, or the person, has as many subscriptions as there may be. The request is kept until it expires.</summary>
    Full,
}

/// <summary>One subscription of a person.</summary>
/// <param name="Id">Names it among the person's; opaque.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Wish">What is wanted.</param>
/// <param name="Since">UTC, when it was confirmed.</param>
public sealed record Subscription(string Id, string Municipality, Wish Wish, DateTime Since);

/// <summary>Everything that is kept about a person. Language, quiet hours and pause hold for all subscriptions of the address.</summary>
/// <param name="Channel">How the person is reached.</param>
/// <param name="Target">Where: the address, not masked, for only its owner has the link.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>.</param>
/// <param name="Quiet">Hours in which nothing is sent; null for none.</param>
/// <param name="PausedUntil">UTC; nothing is sent about alarms before; null: not paused. <see cref="DateTime.MaxValue"/>: until the person resumes.</param>
/// <param name="Subscriptions">In the order they were confirmed.</param>
public sealed record Preferences(ChannelKind Channel, string Target, string Language, QuietHours? Quiet, DateTime? PausedUntil, IReadOnlyList<Subscription> Subscriptions);

/// <summary>What an unsubscribe link would end.</summary>
/// <param name="Municipality">Slug of the municipality whose messages it ends; null when they have been ended already.</param>
/// <param name="SubscriptionCount">Subscriptions it would delete.</param>
public sealed record Unsubscription(string? Municipality, int SubscriptionCount);

/// <summary>
/// Lets people without an account choose which alarms they are told of: double opt-in, links that say who they are for, and everything deleted when they say so. Links carry signed tokens: one that was
/// changed, is for something else, has expired, or speaks of what was deleted is answered like one that never was. No answer tells whether an address is known. Safe for concurrent callers.
/// </summary>
public interface ISignUp
{
    /// <summary>Whether it is offered, and what to tell people. While it is not, requests are refused; links in mails that went out before go on working.</summary>
    SignUpOffer Offer { get; }

    /// <summary>Channels that can be chosen, in the order they are offered.</summary>
    IReadOnlyList<ChannelKind> Channels { get; }

    /// <summary>Takes a request and sends one mail with a link that confirms it; nothing else is sent before. At most a few mails go to one address in a day: past it nothing more is sent, and nobody is told.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="source">Where the request came from; null when not known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">A field breaks its rule; the parameter's name is the field's.</exception>
    /// <exception cref="InvalidOperationException">Signing up is not offered.</exception>
    ValueTask<RequestOutcome> RequestAsync(SignUpRequest request, IPAddress? source, CancellationToken cancellationToken);

    /// <summary>The request a confirmation link speaks of; changes nothing.</summary>
    ValueTask<PendingSignUp?> FindPendingAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Confirms a request: the wish is the person's from now on, the language and quiet hours hold for all its subscriptions. Durable when the task completes.</summary>
    /// <returns>The outcome, and a link's token for the person's preferences when confirmed.</returns>
    ValueTask<(ConfirmOutcome Outcome, string? PreferencesToken)> ConfirmAsync(string? token, CancellationToken cancellationToken);

    /// <summary>What an unsubscribe link would end; changes nothing. Null when the link is not ours.</summary>
    ValueTask<Unsubscription?> FindUnsubscriptionAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Ends the messages of one municipality to one address, and deletes what is kept for them. Ended before, it is done too.</summary>
    /// <returns>False when the link is not ours.</returns>
    ValueTask<bool> UnsubscribeAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Sends a link to the preferences of an address, if there are any. The answer is the same, and takes as long, whether there are.</summary>
    /// <param name="channel">How.</param>
    /// <param name="target">E-mail address as typed.</param>
    /// <param name="language">Language of the mail where the address has none of its own.</param>
    /// <param name="source">Where the request came from; null when not known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The address breaks its rule.</exception>
    ValueTask<RequestOutcome> RequestLinkAsync(ChannelKind channel, string target, string language, IPAddress? source, CancellationToken cancellationToken);

    /// <summary>Everything kept about the person of a preferences link; null when the link does not hold.</summary>
    ValueTask<Preferences?> FindPreferencesAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Changes what holds for all subscriptions of the person.</summary>
    /// <returns>False when the link does not hold.</returns>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    ValueTask<bool> ChangeAsync(string? token, string language, QuietHours? quiet, DateTime? pausedUntil, CancellationToken cancellationToken);

    /// <summary>
    /// Changes what one subscription asks for: place, also in another municipality, what, and from which severity on. One that is gone is left alone; one that comes out like another of the person's is joined with it. The
    /// address is confirmed already, so no mail goes out. What waits for the subscription's former municipality goes with the last subscription there.
    /// </summary>
    /// <param name="token">Of the person's preferences.</param>
    /// <param name="subscription">Which of their subscriptions.</param>
    /// <param name="municipality">Slug of the municipality wanted.</param>
    /// <param name="wish">What is wanted there.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    /// <returns>The outcome, and when changed the token of a link that holds from now on: a link dies with the last subscription of its municipality.</returns>
    /// <exception cref="ArgumentException">A field breaks its rule; the parameter's name is the field's.</exception>
    ValueTask<(ConfirmOutcome Outcome, string? PreferencesToken)> ChangeSubscriptionAsync(string? token, string subscription, string municipality, Wish wish, CancellationToken cancellationToken);

    /// <summary>Deletes one subscription; with the last one everything that is kept about the person in its municipality.</summary>
    /// <returns>False when the link does not hold.</returns>
    ValueTask<bool> RemoveSubscriptionAsync(string? token, string subscription, CancellationToken cancellationToken);

    /// <summary>Deletes everything that is kept about the person: subscriptions, requests, what waits to be sent, and the address in the log of what was sent.</summary>
    /// <returns>False when the link does not hold.</returns>
    ValueTask<bool> ForgetAsync(string? token, CancellationToken cancellationToken);
}
