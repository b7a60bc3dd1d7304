namespace Hub.Cloud.Notifications;

/// <summary>A CAP alert as it was published.</summary>
/// <param name="Station">Slug of the station it is about: whoever serves it asks whether that station is public still.</param>
/// <param name="SentAt">UTC, whole seconds.</param>
/// <param name="Xml">The document, UTF-8; the same bytes for ever.</param>
public sealed record CapAlert(string Station, DateTime SentAt, ReadOnlyMemory<byte> Xml);

/// <summary>Which alerts a feed is to list.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="MunicipalityName">Name shown to people.</param>
/// <param name="Stations">Slugs of the stations that everybody may see; alerts of others are left out.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>: of titles and summaries; the alerts speak both.</param>
/// <param name="Feed">Absolute address of the feed.</param>
/// <param name="AddressOf">Absolute address of the alert with an identifier.</param>
public sealed record CapFeedRequest(string Municipality, string MunicipalityName, IReadOnlyCollection<string> Stations, string Language, Uri Feed, Func<string, Uri> AddressOf);

/// <summary>An Atom feed (RFC 4287).</summary>
/// <param name="UpdatedAt">UTC, of the latest alert; null when there is none.</param>
/// <param name="Xml">The document, UTF-8; the same bytes as long as the same alerts are listed.</param>
public sealed record CapFeed(DateTime? UpdatedAt, ReadOnlyMemory<byte> Xml);

/// <summary>The public alerts (OASIS CAP 1.2) that <see cref="INotifications.EnqueueAsync"/> made of the messages about alarms of public stations. Safe for concurrent callers.</summary>
public interface ICapAlerts
{
    /// <summary>Most alerts of one feed: the newest.</summary>
    const int FeedCountMax = 100;

    /// <summary>Where people and programs reach the hub, without a slash at its end; null when <c>Hub:PublicUrl</c> is not set.</summary>
    string? PublicUrl { get; }

    /// <summary>Finds an alert of a municipality; null when there is none, or none any more (<c>Hub:Notifications:LogKeep</c>).</summary>
    ValueTask<CapAlert?> FindAsync(string municipality, string identifier, CancellationToken cancellationToken);

    /// <summary>Writes the feed of a municipality, newest first.</summary>
    ValueTask<CapFeed> FeedAsync(CapFeedRequest request, CancellationToken cancellationToken);
}
