using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Transfer.Export;

/// <summary>Writes observations in one format. Called for one datastream after the other, each in order of time.</summary>
internal abstract class ObservationSink : IDisposable
{
    /// <summary>The datastream whose observations follow.</summary>
    public abstract void Begin(Datastream datastream);

    /// <summary>Writes one observation.</summary>
    public abstract void Write(in Observation observation);

    /// <summary>Writes what is left; nothing follows.</summary>
    public abstract void Complete();

    /// <inheritdoc/>
    public abstract void Dispose();
}
