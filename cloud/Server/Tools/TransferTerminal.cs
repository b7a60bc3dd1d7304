using System.Globalization;
using Hub.Cloud.Transfer;

namespace Hub.Cloud.Server.Tools;

/// <summary>
/// Says how far a transfer is, on the error stream so that data may go to the output: a bar that is drawn over itself on a terminal, a line every ten seconds elsewhere. Both give the share done, rows,
/// rows per second since the start, and the time left at that pace.
/// </summary>
internal sealed class TransferTerminal : IProgress<TransferProgress>
{
    private const int BarCharacters = 24;

    private static readonly TimeSpan Redrawn = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Said = TimeSpan.FromSeconds(10);

    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly TimeProvider _time;
    private readonly int _width;
    private readonly long _started;
    private long _spoke;
    private (double Share, long Rows)? _first;
    private int _drawn;

    /// <param name="output">Where to.</param>
    /// <param name="isTerminal">False for a file or a pipe.</param>
    /// <param name="time">Clock.</param>
    /// <param name="width">Characters of a line of the terminal.</param>
    public TransferTerminal(TextWriter output, bool isTerminal, TimeProvider time, int width)
    {
        _output = output;
        _isTerminal = isTerminal;
        _time = time;
        _width = width;
        _started = _spoke = time.GetTimestamp();
    }

    /// <summary>The one of this process.</summary>
    public static TransferTerminal Create()
    {
        var isTerminal = !Console.IsErrorRedirected;
        var width = 80;
        try
        {
            width = isTerminal && Console.WindowWidth > 0 ? Console.WindowWidth : width;
        }
        catch (IOException)
        {
            // No size to be had: a serial line for one.
        }

        return new TransferTerminal(Console.Error, isTerminal, TimeProvider.System, width);
    }

    /// <summary>How long the transfer takes so far.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

    /// <inheritdoc/>
    public void Report(TransferProgress value)
    {
        // What an earlier, interrupted run had done says nothing of the pace of this one.
        _first ??= (value.Share, value.Rows);
        if (_time.GetElapsedTime(_spoke) < (_isTerminal ? Redrawn : Said))
        {
            return;
        }

        _spoke = _time.GetTimestamp();
        var text = Text(value);
        if (!_isTerminal)
        {
            _output.WriteLine(text);
            return;
        }

        var filled = (int)(value.Share * BarCharacters);
        var line = $"[{new string('#', filled)}{new string('.', BarCharacters - filled)}] {text}";
        line = line.Length < _width ? line : line[..(_width - 1)];
        _output.Write('\r' + line.PadRight(Math.Min(_drawn, _width - 1)));
        _output.Flush();
        _drawn = line.Length;
    }

    /// <summary>Takes the bar away.</summary>
    public void Clear()
    {
        if (_drawn > 0)
        {
            _output.Write('\r' + new string(' ', _drawn) + '\r');
            _drawn = 0;
        }
    }

    private string Text(TransferProgress value)
    {
        var elapsed = Elapsed.TotalSeconds;
        var done = value.Share - _first!.Value.Share;
        var left = done > 0 ? TimeSpan.FromSeconds(Math.Min(elapsed * (1 - value.Share) / done, TimeSpan.FromDays(99).TotalSeconds)) : (TimeSpan?)null;
        var rate = elapsed > 0 ? (value.Rows - _first.Value.Rows) / elapsed : 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{value.Share * 100,5:F1} %  {value.Rows:N0} rows  {rate:N0}/s  {(left is { } span ? $"{Duration(span)} left" : "")}  {value.What}");
    }

    /// <summary><c>1 d 02:03:04</c>, <c>02:03:04</c> or <c>03:04</c>.</summary>
    internal static string Duration(TimeSpan span) => span.TotalDays >= 1 ? span.ToString(@"d\ \d\ hh\:mm\:ss", CultureInfo.InvariantCulture)
        : span.TotalHours >= 1 ? span.ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture)
        : span.ToString(@"mm\:ss", CultureInfo.InvariantCulture);
}
