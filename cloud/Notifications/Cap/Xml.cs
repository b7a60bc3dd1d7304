using System.Text;
using System.Xml;

namespace Hub.Cloud.Notifications.Cap;

/// <summary>Text that may stand in an XML document. Pure.</summary>
internal static class Xml
{
    /// <summary>
    /// The text with U+FFFD for what XML 1.0 cannot hold, such as control characters and half surrogate pairs: a name with one of them must not keep an alarm from anybody.
    /// </summary>
    public static string Safe(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            safe.Append(rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? "\ufffd" : rune.ToString());
        }

        return safe.ToString();
    }
}
