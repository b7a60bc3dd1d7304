namespace Hub.Edge.Thresholds;

/// <summary>Something at the station that can be on or off. One caller at a time.</summary>
internal interface IOutput : IAsyncDisposable
{
    /// <summary>What it is, for the log: <c>GPIO line 17</c>.</summary>
    string What { get; }

    /// <summary>False when what was set may not hold any more (the broker's connection is gone): it is set again then.</summary>
    bool Holds { get; }

    /// <summary>Switches.</summary>
    /// <param name="word">On or off, and why.</param>
    /// <param name="stopping">True when the agent stops in good order and this is the last word.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="OutputException">It cannot be switched now; try again.</exception>
    Task SetAsync(AlarmWord word, bool stopping, CancellationToken cancellationToken);
}

/// <summary>An output cannot be switched now; the message says what and why, the cause is inside.</summary>
internal sealed class OutputException(string message, Exception innerException) : Exception(message, innerException);
