namespace Hub.Cloud.Series;

/// <summary>
/// A part file while somebody may read it: each version of the store that names it holds it. The file of one that was replaced goes when the last holder lets go.
/// </summary>
internal sealed class LivePart(PartInfo info, string path, Action<LivePart> released)
{
    private int _holders;
    private volatile bool _replaced;

    public PartInfo Info { get; } = info;

    public string Path { get; } = path;

    /// <summary>No later version names it: its file may go.</summary>
    public bool IsReplaced => _replaced;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Replace() => _replaced = true;

    public void LetGo()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            released(this);
        }
    }
}
