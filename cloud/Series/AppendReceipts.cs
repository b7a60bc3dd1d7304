namespace Hub.Cloud.Series;

/// <summary>
/// Receipts of some calls of one group commit, on their way to a thread of the pool. Each call by itself would wake a thread, which costs more than most of what the threads then do; all together would
/// wait for one another. Made and sent by the committer.
/// </summary>
internal sealed class AppendReceipts : IThreadPoolWorkItem
{
    /// <summary>Calls that one thread goes on with, one after the other.</summary>
    public const int CallsMax = 8;

    private readonly List<(PendingAppend Call, AppendReceipt Receipt)> _receipts = new(CallsMax);

    /// <summary>True when no more may be added.</summary>
    public bool IsFull => _receipts.Count == CallsMax;

    /// <summary>Adds the receipt of a call.</summary>
    public void Add(PendingAppend call, AppendReceipt receipt) => _receipts.Add((call, receipt));

    /// <summary>Hands them to the pool; nothing is added after it.</summary>
    public void Send()
    {
        if (_receipts.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        foreach (var (call, receipt) in _receipts)
        {
            call.Complete(receipt);
        }
    }
}
