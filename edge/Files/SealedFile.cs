using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Edge.Files;

/// <summary>
/// A small file of text that is replaced as a whole: after a power cut at any byte the old or the new one is there, and damage is noticed. People can read it: the text, then a line
/// with its SHA-256. Pure I/O; callers see to it that one writes at a time.
/// </summary>
public static class SealedFile
{
    /// <summary>Longest text, bytes.</summary>
    public const int BytesMax = 1024 * 1024;

    private const int SealBytes = 7 + 64 + 1;

    private static ReadOnlySpan<byte> Word => "sha256 "u8;

    /// <summary>Writes a file; when it returns, the file survives a power cut.</summary>
    /// <param name="path">Where; the folder exists. <c>path.new</c> is used on the way.</param>
    /// <param name="text">UTF-8, at most <see cref="BytesMax"/> bytes.</param>
    /// <param name="overwrite">False to fail when the file is there already.</param>
    /// <exception cref="IOException">The disk refused, or the file is there and may not be replaced; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static void Write(string path, ReadOnlySpan<byte> text, bool overwrite)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, BytesMax);
        var whole = new byte[text.Length + 1 + SealBytes];
        text.CopyTo(whole);
        whole[text.Length] = (byte)'\n';
        Seal(text).CopyTo(whole, text.Length + 1);
        var fresh = path + ".new";
        using (var file = File.OpenHandle(fresh, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, whole, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(fresh, path, overwrite);
        FolderSync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Makes a folder where there is none yet, so that it survives a power cut.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static void CreateFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            FolderSync.Flush(Path.GetDirectoryName(Path.GetFullPath(folder))!);
        }
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Where; the file exists.</param>
    /// <param name="text">What was written, UTF-8.</param>
    /// <param name="problem">What is wrong with it, English, one line.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static bool TryRead(string path, [NotNullWhen(true)] out byte[]? text, [NotNullWhen(false)] out string? problem)
    {
        (text, problem) = (null, null);
        var length = new FileInfo(path).Length;
        if (length > BytesMax + 1 + SealBytes)
        {
            problem = $"It has {length} bytes, more than was ever written.";
            return false;
        }

        var whole = File.ReadAllBytes(path);
        var end = whole.Length - SealBytes - 1;
        if (end < 0 || whole[end] != (byte)'\n' || !whole.AsSpan(end + 1).SequenceEqual(Seal(whole.AsSpan(0, end))))
        {
            problem = "Its SHA-256 is not that of its text: it is damaged, or was changed by hand.";
            return false;
        }

        text = whole[..end];
        return true;
    }

    private static byte[] Seal(ReadOnlySpan<byte> text) => [.. Word, .. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(text))), (byte)'\n'];
}
