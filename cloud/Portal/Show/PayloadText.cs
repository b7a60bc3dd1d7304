using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Hub.Cloud.Portal.Show;

/// <summary>Bytes that somebody sent, in a form that a page can show: nothing in it is obeyed, nothing is invisible, and it is bounded. Pure.</summary>
/// <param name="Text">Text with what cannot be seen written as <c>\u{hex}</c>; for other bytes a dump, 16 to a line.</param>
/// <param name="IsHex">Whether it is a dump.</param>
/// <param name="Shown">Bytes that are shown, of those there are.</param>
internal sealed record PayloadText(string Text, bool IsHex, int Shown)
{
    /// <summary>Most bytes shown as text.</summary>
    public const int TextBytesMax = 4_096;

    /// <summary>Most bytes shown as a dump.</summary>
    public const int HexBytesMax = 512;

    public static PayloadText Of(ReadOnlySpan<byte> payload)
    {
        // What was cut in the middle of a character is text all the same.
        var text = payload[..Math.Min(payload.Length, TextBytesMax)];
        for (var cut = 0; cut < 4 && text.Length > 0 && text.Length < payload.Length && !Utf8.IsValid(text); cut++)
        {
            text = text[..^1];
        }

        if (!Utf8.IsValid(text) || text.Contains((byte)0))
        {
            var shown = payload[..Math.Min(payload.Length, HexBytesMax)];
            return new(Dump(shown), true, shown.Length);
        }

        var shownBytes = text.Length;
        var written = new StringBuilder(text.Length);
        while (!text.IsEmpty && Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done)
        {
            text = text[length..];
            _ = IsSeen(rune) ? written.Append(rune.ToString()) : written.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }

        return new(written.ToString(), false, shownBytes);
    }

    /// <summary>Letters, signs, spaces and line feeds; not what turns the direction of writing or moves the cursor.</summary>
    private static bool IsSeen(Rune rune) =>
        rune.Value is '\n' or '\t'
        || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static string Dump(ReadOnlySpan<byte> bytes)
    {
        var dump = new StringBuilder();
        for (var at = 0; at < bytes.Length; at += 16)
        {
            var line = bytes[at..Math.Min(at + 16, bytes.Length)];
            dump.Append(CultureInfo.InvariantCulture, $"{at:x4} ");
            for (var i = 0; i < 16; i++)
            {
                dump.Append(i < line.Length ? " " + line[i].ToString("x2", CultureInfo.InvariantCulture) : "   ");
            }

            dump.Append("  ");
            foreach (var one in line)
            {
                dump.Append(one is >= 0x20 and < 0x7f ? (char)one : '.');
            }

            dump.Append('\n');
        }

        return dump.ToString();
    }
}
