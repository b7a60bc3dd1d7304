using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.GZip;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>
/// The bytes of a plain or gzipped file. The framework's <see cref="System.IO.Compression.GZipStream"/> takes the end of a file that is cut off for the end of its content, so gzip is read by a library
/// that tells.
/// </summary>
internal sealed class TextFile : IDisposable
{
    private readonly FileStream _file;
    private readonly long _length;

    private TextFile(FileStream file, Stream content)
    {
        _file = file;
        _length = Math.Max(1, file.Length);
        Content = content;
    }

    /// <summary>The content, from its beginning; disposed of with this.</summary>
    public Stream Content { get; }

    /// <summary>Share of the file's bytes that were read, 0 to 1.</summary>
    public double Share => (double)_file.Position / _length;

    /// <summary>Opens a file; gzip is told by its first two bytes, whatever the file is called.</summary>
    /// <exception cref="TransferException">The file is not there or cannot be read.</exception>
    public static TextFile Open(string path)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 64 * 1024, FileOptions.SequentialScan);
            Span<byte> magic = stackalloc byte[2];
            var gzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
            file.Position = 0;
            return new TextFile(file, gzip ? new GZipInputStream(file) : file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new TransferException($"{path} cannot be opened: is it there, and may this user read it?", exception);
        }
    }

    /// <summary>Whether reading failed because of the file.</summary>
    public static bool IsDamage(Exception exception) => exception is SharpZipBaseException or IOException;

    /// <summary>Says where a file is damaged.</summary>
    public static TransferException Damaged(string path, long line, Exception exception) => new(
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}, after line {line}: the file is damaged or cut off. Fetch it again and compare its SHA-256."), exception);

    /// <inheritdoc/>
    public void Dispose() => Content.Dispose();
}
