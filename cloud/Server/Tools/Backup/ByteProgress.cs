using System.Globalization;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>Tells how far a long tool is: on a terminal one line that is written over, elsewhere a line every ten seconds. One caller at a time.</summary>
internal sealed class ByteProgress(TextWriter output, bool isTerminal, TimeProvider time)
{
    private readonly TimeSpan _every = isTerminal ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(10);
    private string _doing = "";
    private long _done;
    private long _total;
    private long _begun;
    private long _told;
    private int _width;

    public static ByteProgress OnConsole(TimeProvider time) => new(Console.Out, !Console.IsOutputRedirected, time);

    /// <summary>Begins a stage of so many bytes.</summary>
    public void Begin(string doing, long total)
    {
        (_doing, _done, _total, _begun) = (doing, 0, total, time.GetTimestamp());
        _told = _begun;
        if (isTerminal)
        {
            Tell();
        }
    }

    /// <summary>So many bytes more.</summary>
    public void Add(long bytes) => Reach(_done + bytes);

    /// <summary>So many bytes in all.</summary>
    public void Reach(long done, long? total = null)
    {
        (_done, _total) = (done, total ?? _total);
        if (time.GetElapsedTime(_told) >= _every)
        {
            _told = time.GetTimestamp();
            Tell();
        }
    }

    /// <summary>Ends the stage: a line says what it was.</summary>
    public void End()
    {
        var seconds = Math.Max(0.001, time.GetElapsedTime(_begun).TotalSeconds);
        Line(string.Create(CultureInfo.InvariantCulture, $"{_doing}: {Size(_done)} in {seconds:F1} s ({Size((long)(_done / seconds))}/s)"));
        output.WriteLine();
        _width = 0;
    }

    /// <summary>Bytes for people.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F0} kB"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB"),
    };

    private void Tell()
    {
        var share = _total > 0 ? (int)(100 * Math.Min(_done, _total) / _total) : 100;
        Line(string.Create(CultureInfo.InvariantCulture, $"{_doing}: {share} % of {Size(_total)}"));
        if (!isTerminal)
        {
            output.WriteLine();
        }
    }

    private void Line(string text)
    {
        output.Write(isTerminal ? "\r" + text.PadRight(_width) : text);
        _width = text.Length;
    }
}
