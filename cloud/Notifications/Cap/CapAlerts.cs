using System.Text;
using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Cap;

/// <summary>Makes public alerts of messages, keeps them and finds them again.</summary>
internal sealed class CapAlerts(IDbContextFactory<NotificationsContext> contexts, IOptions<NotificationsOptions> options) : ICapAlerts
{
    /// <summary>Most earlier alerts that one refers to: the newest. An alarm has few; each correction adds one.</summary>
    private const int ReferencesMax = 100;

    public string? PublicUrl => options.Value.PublicUrl.Length == 0 ? null : options.Value.PublicUrl.TrimEnd('/');

    /// <summary>Adds the alert of a message to what the caller is about to store. Nothing of what not everybody may see, nor of what cannot be placed.</summary>
    public async Task AddAsync(NotificationsContext db, AlarmMessage message, DateTime now, CancellationToken cancellationToken)
    {
        var settings = options.Value.Cap;
        if (!settings.Enabled || !message.Public || message is not { Latitude: >= -90 and <= 90, Longitude: >= -180 and <= 180 })
        {
            return;
        }

        var sentAt = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
        var earlier = await db.CapAlerts.AsNoTracking()
            .Where(row => row.Municipality == message.Municipality && row.Alarm == message.Alarm && (row.ExpiresAt == null || row.ExpiresAt > sentAt))
            .OrderByDescending(row => row.Id).Take(ReferencesMax)
            .Select(row => new CapReference(row.Sender, row.Identifier, row.SentAt)).ToListAsync(cancellationToken).ConfigureAwait(false);
        earlier.Reverse();
        if (CapMessage.Of(message, IdentifierOf(message.Key), SenderOf(options.Value), sentAt, earlier, settings.ExpiresAfter) is not { } alert)
        {
            return;
        }

        var (pt, en) = (AlarmText.Of(message, AlarmWords.Portuguese), AlarmText.Of(message, AlarmWords.English));
        db.CapAlerts.Add(new CapRow
        {
            Municipality = message.Municipality,
            Station = message.Station,
            Alarm = message.Alarm,
            Identifier = alert.Identifier,
            Sender = alert.Sender,
            SentAt = sentAt,
            ExpiresAt = alert.ExpiresAt,
            TitlePt = $"{pt.Title} – {pt.Place}",
            TitleEn = $"{en.Title} – {en.Place}",
            SummaryPt = pt.Sentence,
            SummaryEn = en.Sentence,
            Xml = CapWriter.Write(alert, message, options.Value),
        });
    }

    public async ValueTask<CapAlert?> FindAsync(string municipality, string identifier, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.CapAlerts.AsNoTracking().SingleOrDefaultAsync(row => row.Municipality == municipality && row.Identifier == identifier, cancellationToken).ConfigureAwait(false);
        return row is null ? null : new CapAlert(row.Station, row.SentAt, Encoding.UTF8.GetBytes(row.Xml));
    }

    public async ValueTask<CapFeed> FeedAsync(CapFeedRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.CapAlerts.AsNoTracking()
            .Where(row => row.Municipality == request.Municipality && request.Stations.Contains(row.Station))
            .OrderByDescending(row => row.Id).Take(ICapAlerts.FeedCountMax)
            .Select(row => new CapEntry(
                row.Identifier, row.Sender, row.SentAt, request.Language == "pt" ? row.TitlePt : row.TitleEn, request.Language == "pt" ? row.SummaryPt : row.SummaryEn))
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return new CapFeed(rows.Count == 0 ? null : rows.Max(row => row.SentAt), AtomWriter.Write(request, SenderOf(options.Value), rows));
    }

    /// <summary>The sender of the settings, or the hub's host.</summary>
    public static string SenderOf(NotificationsOptions options) =>
        options.Cap.Sender.Length > 0 ? options.Cap.Sender : Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) ? url.IdnHost : "localhost";

    /// <summary>Identifier: a function of the message's key, so that a message queued again after a crash is the same alert. Good in an address as well.</summary>
    private static string IdentifierOf(string key) => MailComposer.HashOf(key, 0);
}
