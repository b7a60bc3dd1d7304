using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sampling;

/// <summary>Looks at every reading as it is taken, before the outbox has it. Every one that is registered is called.</summary>
public interface IReadingWatch
{
    /// <summary>
    /// A reading was taken. Called by the sensors' own tasks, so concurrently for different sensors and in order for one; a source that is started again behind its last durable position may give readings
    /// once more. Must return at once: no disk, no network, no waiting. An exception is counted, and the reading goes its way.
    /// </summary>
    void Taken(in Reading reading);
}
