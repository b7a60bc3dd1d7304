using System.Globalization;
using System.Text;
using System.Xml;

namespace Hub.Cloud.Notifications.Cap;

/// <summary>One alert in a feed.</summary>
internal sealed record CapEntry(string Identifier, string Sender, DateTime SentAt, string Title, string Summary);

/// <summary>Writes the Atom feed (RFC 4287) of a municipality's alerts: an entry for each, with a link to its document. The same alerts give the same bytes. Pure.</summary>
internal static class AtomWriter
{
    /// <summary>Namespace of Atom.</summary>
    public const string Namespace = "http://www.w3.org/2005/Atom";

    /// <summary>Media type of a feed.</summary>
    public const string FeedType = "application/atom+xml";

    /// <summary>Media type of a CAP alert, as registered with IANA.</summary>
    public const string AlertType = "application/cap+xml";

    private static readonly XmlWriterSettings Form = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true, NewLineChars = "\n" };

    /// <summary>Writes it.</summary>
    /// <param name="request">Whose, and where.</param>
    /// <param name="sender">The sender of the settings: it makes the feed's identifier unique in the world.</param>
    /// <param name="entries">Newest first.</param>
    public static byte[] Write(CapFeedRequest request, string sender, IReadOnlyList<CapEntry> entries)
    {
        var words = AlarmWords.In(request.Language);
        using var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, Form))
        {
            writer.WriteStartElement("feed", Namespace);
            writer.WriteAttributeString("xml", "lang", null, words.Of("pt-PT", "en-GB"));
            Write(writer, "id", $"urn:hub:alarms:{Escaped(sender)}:{request.Municipality}");
            Write(writer, "title", words.Of($"Alarmes: {request.MunicipalityName}", $"Alarms: {request.MunicipalityName}"));

            // A feed must say when it changed; one in which nothing ever was says the beginning of time, so that its bytes stay the same.
            Write(writer, "updated", Time(entries.Count == 0 ? DateTime.UnixEpoch : entries.Max(entry => entry.SentAt)));
            writer.WriteStartElement("author", Namespace);
            Write(writer, "name", request.MunicipalityName);
            writer.WriteEndElement();
            Write(writer, "generator", "Hub");
            Link(writer, "self", FeedType, request.Feed);
            foreach (var entry in entries)
            {
                writer.WriteStartElement("entry", Namespace);
                Write(writer, "id", $"urn:hub:cap:{Escaped(entry.Sender)}:{entry.Identifier}");
                Write(writer, "title", entry.Title);
                Write(writer, "updated", Time(entry.SentAt));
                Write(writer, "published", Time(entry.SentAt));
                Link(writer, "alternate", AlertType, request.AddressOf(entry.Identifier));
                Write(writer, "summary", entry.Summary);
                writer.WriteEndElement();
            }

            writer.WriteEndElement();
        }

        return buffer.ToArray();
    }

    private static void Link(XmlWriter writer, string relation, string type, Uri address)
    {
        writer.WriteStartElement("link", Namespace);
        writer.WriteAttributeString("rel", relation);
        writer.WriteAttributeString("type", type);
        writer.WriteAttributeString("href", address.AbsoluteUri);
        writer.WriteEndElement();
    }

    private static void Write(XmlWriter writer, string element, string text) => writer.WriteElementString(element, Namespace, Xml.Safe(text));

    private static string Time(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Escaped(string sender) => Uri.EscapeDataString(sender);
}
