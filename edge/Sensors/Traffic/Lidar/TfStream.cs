namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>Finds frames in a stream of bytes: looks for the head, believes the checksum, begins again one byte on where it is wrong. One caller at a time.</summary>
internal sealed class TfStream
{
    private readonly byte[] held = new byte[TfFrame.Bytes];
    private int count;

    /// <summary>Bytes that belonged to no frame.</summary>
    public long Garbage { get; private set; }

    /// <summary>Takes bytes; adds the frames found.</summary>
    public void Take(ReadOnlySpan<byte> bytes, List<TfFrame> frames)
    {
        foreach (byte value in bytes)
        {
            held[count++] = value;
            while (count > 0 && !TfFrame.IsHead(held.AsSpan(0, count)))
            {
                Drop();
            }

            if (count == TfFrame.Bytes)
            {
                if (TfFrame.TryParse(held, out TfFrame frame))
                {
                    frames.Add(frame);
                    count = 0;
                    continue;
                }

                // What looked like a head was data: the true one may stand inside.
                do
                {
                    Drop();
                }
                while (count > 0 && !TfFrame.IsHead(held.AsSpan(0, count)));
            }
        }
    }

    private void Drop()
    {
        held.AsSpan(1, count - 1).CopyTo(held);
        count--;
        Garbage++;
    }
}
