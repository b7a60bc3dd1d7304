using System.Text;

namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>Lines of a plain or gzipped text file as spans into one buffer: a big file costs 16 kB, not a string per line.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>Longest line taken, characters; a longer one is no table.</summary>
    public const int CharactersMax = 64 * 1024;

    private readonly string name;
    private readonly StreamReader reader;
    private char[] buffer = new char[8 * 1024];
    private int start;
    private int end;
    private (int Start, int Length) current;
    private bool again;

    private LineReader(string name, Stream stream, Encoding encoding)
    {
        this.name = name;
        reader = new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: encoding is UTF8Encoding, bufferSize: 4096);
    }

    /// <summary>Number of the line read last, 1 for the first; 0 before it.</summary>
    public int LineNumber { get; private set; }

    /// <summary>Opens a file; gzip is told by its first two bytes, whatever the file is called.</summary>
    /// <exception cref="SensorException">The file is not there or cannot be read.</exception>
    public static LineReader Open(string path, string name, Encoding encoding)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 4096, FileOptions.SequentialScan);
            Span<byte> magic = stackalloc byte[2];
            bool gzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
            file.Position = 0;
            return new LineReader(name, gzip ? new GzipFile(file) : file, encoding);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new SensorException($"{name} cannot be opened: is it there, and may this user read it?", exception);
        }
    }

    /// <summary>The next line without its end (LF or CRLF); the span is valid until the next call.</summary>
    /// <exception cref="SensorException">The file is damaged, or a line is too long.</exception>
    public bool TryRead(out ReadOnlySpan<char> line)
    {
        if (again)
        {
            again = false;
            LineNumber++;
            line = buffer.AsSpan(current.Start, current.Length);
            return true;
        }

        int searched = 0;
        while (true)
        {
            int found = buffer.AsSpan(start + searched, end - start - searched).IndexOf('\n');
            if (found >= 0)
            {
                line = Take(searched + found, 1);
                return true;
            }

            searched = end - start;
            if (!Fill())
            {
                line = searched == 0 ? default : Take(searched, 0);
                return searched > 0;
            }
        }
    }

    /// <summary>Gives the line read last once more at the next <see cref="TryRead"/>.</summary>
    public void Unread()
    {
        again = true;
        LineNumber--;
    }

    /// <inheritdoc/>
    public void Dispose() => reader.Dispose();

    private ReadOnlySpan<char> Take(int length, int ending)
    {
        current = (start, length);
        start += length + ending;
        LineNumber++;
        if (length > 0 && buffer[current.Start + length - 1] == '\r')
        {
            current.Length--;
        }

        return buffer.AsSpan(current.Start, current.Length);
    }

    private bool Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        if (end == buffer.Length)
        {
            if (buffer.Length >= CharactersMax)
            {
                throw new SensorException($"{name}, line {LineNumber + 1}: longer than {CharactersMax} characters. This is no table of text; check the file.");
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }

        try
        {
            int count = reader.Read(buffer, end, buffer.Length - end);
            end += count;
            return count > 0;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            throw new SensorException($"{name}, after line {LineNumber}: the file is damaged or cut off. Fetch it again and compare its SHA-256.", exception);
        }
    }
}
