using System.Buffers.Binary;
using System.IO.Compression;

namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>
/// Reads a gzip file and makes sure that all of it came. <see cref="GZipStream"/> takes the end of a cut-off file for the end of its content, so the
/// bytes are counted and compared with the size the file itself ends with (RFC 1952, ISIZE).
/// </summary>
internal sealed class GzipFile : Stream
{
    private readonly GZipStream content;
    private readonly uint bytesExpected;
    private long bytesRead;

    /// <param name="file">The file, from its start; disposed with this stream.</param>
    public GzipFile(FileStream file)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        file.Position = Math.Max(0, file.Length - size.Length);
        file.ReadExactly(size);
        bytesExpected = BinaryPrimitives.ReadUInt32LittleEndian(size);
        file.Position = 0;
        content = new GZipStream(file, CompressionMode.Decompress);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => bytesRead; set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The content is damaged or not complete.</exception>
    public override int Read(Span<byte> buffer)
    {
        int count = content.Read(buffer);
        bytesRead += count;
        if (count == 0 && buffer.Length > 0 && (uint)bytesRead != bytesExpected)
        {
            throw new InvalidDataException($"{bytesRead} bytes came out of the gzip file, which says it holds {bytesExpected}: it is cut off, or made of several gzip members.");
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            content.Dispose();
        }

        base.Dispose(disposing);
    }
}
