using System.Globalization;
using System.Text;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>Lines of a plain or gzipped text file as spans into one buffer.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>Longest line taken, characters; a longer one is no table.</summary>
    public const int CharactersMax = 1024 * 1024;

    private readonly string _name;
    private readonly TextFile _file;
    private readonly StreamReader _reader;
    private char[] _buffer = new char[64 * 1024];
    private int _start;
    private int _end;
    private int _lineStart;
    private int _lineLength;

    private LineReader(string name, TextFile file, Encoding encoding)
    {
        _name = name;
        _file = file;
        _reader = new StreamReader(file.Content, encoding, detectEncodingFromByteOrderMarks: encoding is UTF8Encoding, bufferSize: 64 * 1024, leaveOpen: true);
    }

    /// <summary>Number of the line read last, 1 for the first; 0 before it.</summary>
    public long Number { get; private set; }

    /// <summary>The line read last, without its end.</summary>
    public ReadOnlySpan<char> Line => _buffer.AsSpan(_lineStart, _lineLength);

    /// <summary>Share of the file's bytes that were read, 0 to 1.</summary>
    public double Share => _file.Share;

    /// <summary>Opens a file.</summary>
    /// <exception cref="TransferException">The file is not there or cannot be read.</exception>
    public static LineReader Open(string path, Encoding encoding) => new(path, TextFile.Open(path), encoding);

    /// <summary>Reads the next line (LF or CRLF); false at the end.</summary>
    /// <exception cref="TransferException">The file is damaged, or a line is too long.</exception>
    public bool TryRead()
    {
        var searched = 0;
        while (true)
        {
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf('\n');
            if (found >= 0)
            {
                Take(searched + found, 1);
                return true;
            }

            searched = _end - _start;
            if (!Fill())
            {
                if (searched > 0)
                {
                    Take(searched, 0);
                }

                return searched > 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _file.Dispose();
    }

    private void Take(int length, int ending)
    {
        (_lineStart, _lineLength) = (_start, length);
        _start += length + ending;
        Number++;
        if (length > 0 && _buffer[_lineStart + length - 1] == '\r')
        {
            _lineLength--;
        }
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= CharactersMax)
            {
                throw new TransferException(string.Create(CultureInfo.InvariantCulture, $"{_name}, line {Number + 1}: longer than {CharactersMax} characters. This is no table of text; check the file."));
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            var count = _reader.Read(_buffer, _end, _buffer.Length - _end);
            _end += count;
            return count > 0;
        }
        catch (Exception exception) when (TextFile.IsDamage(exception))
        {
            throw TextFile.Damaged(_name, Number, exception);
        }
    }
}
