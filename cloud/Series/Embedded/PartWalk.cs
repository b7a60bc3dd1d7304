namespace Hub.Cloud.Series;

/// <summary>A cursor over a part that knows where it stands. Used by one thread; disposes of its reader too.</summary>
internal sealed class PartWalk : IDisposable
{
    private readonly PartReader _reader;
    private readonly PartCursor _cursor;

    public PartWalk(PartReader reader)
    {
        _reader = reader;
        _cursor = reader.ReadAll();
        Step();
    }

    /// <summary>Datastream of the rows; null at the end.</summary>
    public int? Datastream { get; private set; }

    public ObservationColumns Rows => _cursor.Rows;

    /// <summary>Goes on; true when the next rows are of the same datastream.</summary>
    public bool MoveNext(int datastream)
    {
        Step();
        return Datastream == datastream;
    }

    public void Dispose()
    {
        _cursor.Dispose();
        _reader.Dispose();
    }

    private void Step() => Datastream = _cursor.MoveNext() ? _cursor.Datastream : null;
}
