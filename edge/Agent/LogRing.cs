using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>The last lines of the log in memory, for the hub's command <c>diagnostics</c>. Bounded by lines and characters; outlives the building anew of the stages. Safe for concurrent callers.</summary>
internal sealed class LogRing(TimeProvider time) : ILoggerProvider
{
    /// <summary>Most lines kept.</summary>
    public const int LinesMax = 1000;

    /// <summary>Most characters kept.</summary>
    public const int CharactersMax = 96 * 1024;

    /// <summary>Most characters of a line; what is behind is cut off.</summary>
    public const int LineCharactersMax = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private int _characters;

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Last(int count)
    {
        lock (_gate)
        {
            return [.. _lines.Skip(Math.Max(0, _lines.Count - count))];
        }
    }

    public ILogger CreateLogger(string categoryName) => new RingLogger(this, categoryName);

    public void Dispose()
    {
        // Stages come and go; what was logged stays.
    }

    private void Add(string line)
    {
        lock (_gate)
        {
            _lines.Enqueue(line);
            _characters += line.Length;
            while (_lines.Count > LinesMax || _characters > CharactersMax)
            {
                _characters -= _lines.Dequeue().Length;
            }
        }
    }

    private sealed class RingLogger(LogRing ring, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = new StringBuilder()
                .Append(ring.Now).Append(' ').Append(logLevel.ToString().ToLowerInvariant()).Append(' ').Append(category).Append(": ").Append(formatter(state, exception));
            for (var inner = exception; inner is not null; inner = inner.InnerException)
            {
                line.Append(" <- ").Append(inner.GetType().Name).Append(": ").Append(inner.Message);
            }

            var text = line.ToString().ReplaceLineEndings(" ");
            ring.Add(text.Length > LineCharactersMax ? text[..LineCharactersMax] : text);
        }
    }

    private string Now => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>From which level on the agent logs; may be moved while it runs. Safe for concurrent callers.</summary>
internal sealed class LogThreshold
{
    private volatile int _minimum = (int)LogLevel.Information;

    /// <summary>Moves it; a name that is not one is the default.</summary>
    public void Set(string? level) => _minimum = (int)(Enum.TryParse<LogLevel>(level, ignoreCase: true, out var minimum) ? minimum : LogLevel.Information);

    /// <summary>True for what is logged. The framework's own categories speak from warnings on.</summary>
    public bool IsOn(string? category, LogLevel level) =>
        (int)level >= _minimum && (level >= LogLevel.Warning || category is null || !category.StartsWith("Microsoft", StringComparison.Ordinal));
}
