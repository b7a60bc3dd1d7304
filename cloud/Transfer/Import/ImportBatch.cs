using Hub.Cloud.Series;

namespace Hub.Cloud.Transfer.Import;

/// <summary>Observations on their way into one append, and how far reading had come when they were complete.</summary>
internal sealed class ImportBatch(int capacity)
{
    private Observation[] _observations = new Observation[capacity];

    /// <summary>Number of observations.</summary>
    public int Count { get; private set; }

    /// <summary>The observations; valid until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<Observation> Observations => _observations.AsMemory(0, Count);

    /// <summary>How far reading had come.</summary>
    public ImportPlace Place { get; set; } = new();

    /// <summary>Adds one; a row may go beyond the capacity.</summary>
    public void Add(in Observation observation)
    {
        if (Count == _observations.Length)
        {
            Array.Resize(ref _observations, Count * 2);
        }

        _observations[Count++] = observation;
    }

    /// <summary>Forgets them; the memory stays.</summary>
    public void Clear() => Count = 0;
}
