namespace Hub.Edge.Outbox;

/// <summary>The outbox folder cannot be used: another process holds it, or the disk refuses it. The message says what to do.</summary>
public sealed class OutboxUnavailableException : IOException
{
    /// <summary>Creates the exception.</summary>
    public OutboxUnavailableException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
