namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>Splits one line of a table; knows quotes, allocates nothing.</summary>
internal static class Fields
{
    /// <summary>Most fields in a line.</summary>
    public const int FieldsMax = 256;

    /// <summary>
    /// Finds the fields of a line, without the quotes and spaces around them. A doubled quote within a quoted field stays doubled: no number,
    /// time or name read here holds one.
    /// </summary>
    /// <returns>Number of fields, 1 or more; -1 for a quote that does not close or has text behind it, -2 for more fields than fit.</returns>
    public static int Split(ReadOnlySpan<char> line, char delimiter, Span<Range> fields)
    {
        int count = 0;
        int at = 0;
        while (true)
        {
            if (count == fields.Length)
            {
                return -2;
            }

            while (at < line.Length && line[at] == ' ')
            {
                at++;
            }

            int next;
            if (at < line.Length && line[at] == '"')
            {
                int close = Close(line, at + 1);
                if (close < 0)
                {
                    return -1;
                }

                fields[count++] = (at + 1)..close;
                next = close + 1;
                while (next < line.Length && line[next] == ' ')
                {
                    next++;
                }

                if (next < line.Length && line[next] != delimiter)
                {
                    return -1;
                }
            }
            else
            {
                int length = line[at..].IndexOf(delimiter);
                next = length < 0 ? line.Length : at + length;
                int end = next;
                while (end > at && line[end - 1] == ' ')
                {
                    end--;
                }

                fields[count++] = at..end;
            }

            if (next >= line.Length)
            {
                return count;
            }

            at = next + 1;
        }
    }

    private static int Close(ReadOnlySpan<char> line, int at)
    {
        while (true)
        {
            int found = line[at..].IndexOf('"');
            if (found < 0)
            {
                return -1;
            }

            at += found;
            if (at + 1 < line.Length && line[at + 1] == '"')
            {
                at += 2;
                continue;
            }

            return at;
        }
    }
}
