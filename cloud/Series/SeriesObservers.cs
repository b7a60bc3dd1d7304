using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>Who hears of commits. Subscribing and leaving are safe at any time; told by the committer only.</summary>
internal sealed partial class SeriesObservers(SeriesInstruments instruments, ILogger log)
{
    private readonly Lock _lock = new();
    private ISeriesObserver[] _observers = [];

    /// <summary>Adds an observer until what is returned is disposed.</summary>
    public IDisposable Subscribe(ISeriesObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        var subscription = new Subscription(this, observer);
        lock (_lock)
        {
            _observers = [.. _observers, subscription];
        }

        return subscription;
    }

    /// <summary>Tells all of a durable commit.</summary>
    public void Tell(long commit, List<Observation> appended)
    {
        var news = new SeriesCommit(commit, CollectionsMarshal.AsSpan(appended));
        foreach (var observer in Volatile.Read(ref _observers))
        {
            try
            {
                observer.OnCommitted(news);
            }
#pragma warning disable CA1031 // One observer's fault must not reach the appender or the other observers.
            catch (Exception e)
#pragma warning restore CA1031
            {
                instruments.ObserverFailed();
                LogObserverFailed(log, e, commit);
            }
        }
    }

    private void Leave(Subscription subscription)
    {
        lock (_lock)
        {
            _observers = [.. _observers.Where(other => other != subscription)];
        }
    }

    [LoggerMessage(7, LogLevel.Error, "An observer failed in commit {Commit}; the commit itself is durable.")]
    private static partial void LogObserverFailed(ILogger logger, Exception exception, long commit);

    private sealed class Subscription(SeriesObservers observers, ISeriesObserver observer) : ISeriesObserver, IDisposable
    {
        private volatile bool _ended;

        public void OnCommitted(SeriesCommit commit)
        {
            if (!_ended)
            {
                observer.OnCommitted(commit);
            }
        }

        public void Dispose()
        {
            _ended = true;
            observers.Leave(this);
        }
    }
}
