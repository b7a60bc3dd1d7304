namespace Hub.Edge.Uplink;

/// <summary>
/// The last commands that were done, by their correlation data, with the answers they got: a command delivered twice is done once. The agent registers one that outlives a
/// restart in the same process. Safe for concurrent callers.
/// </summary>
public sealed class AnsweredCommands
{
    /// <summary>Most commands remembered.</summary>
    public const int CountMax = 64;

    /// <summary>Most bytes of answers remembered; past it the oldest are forgotten, but for the last one.</summary>
    public const int BytesMax = 512 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<(string Correlation, byte[] Answer)> _order = new();
    private int _bytes;

    /// <summary>The answer that a command got; null for one that is not remembered.</summary>
    /// <param name="correlation">Its correlation data.</param>
    public ReadOnlyMemory<byte>? Find(ReadOnlySpan<byte> correlation)
    {
        var key = Convert.ToHexString(correlation);
        lock (_gate)
        {
            foreach (var (known, answer) in _order)
            {
                if (known == key)
                {
                    return answer;
                }
            }
        }

        return null;
    }

    /// <summary>Remembers an answer, and forgets the oldest ones past the limits.</summary>
    /// <param name="correlation">The command's correlation data.</param>
    /// <param name="answer">The answer as it was sent.</param>
    public void Remember(ReadOnlySpan<byte> correlation, byte[] answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        lock (_gate)
        {
            _order.Enqueue((Convert.ToHexString(correlation), answer));
            _bytes += answer.Length;
            while (_order.Count > 1 && (_order.Count > CountMax || _bytes > BytesMax))
            {
                _bytes -= _order.Dequeue().Answer.Length;
            }
        }
    }
}
