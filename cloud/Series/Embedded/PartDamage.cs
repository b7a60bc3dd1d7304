using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>
/// Parts that could not be read: damaged, gone, or on a disk that refuses. Appends do without them, which is no loss: what is stored is a set, so a value that was not compared is stored beside the
/// other and the better one counts as soon as the part can be read again; only the outcome that is told may say stored where it is a duplicate. Questions about their days fail. Whoever meets one first notes it: an append, a question, a deletion or the compactor. Safe for concurrent callers.
/// </summary>
internal sealed partial class PartDamage(SeriesInstruments instruments, ILogger log)
{
    private readonly ConcurrentDictionary<string, string> _found = new(StringComparer.Ordinal);

    /// <summary>Whether an exception of reading a part is of this kind.</summary>
    public static bool IsOf(Exception e) => e is InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>The part an exception of reading is about; null when it is about none.</summary>
    public static string? PathOf(Exception e) =>
        e is InvalidDataException ? e.Data[PartReader.PathKey] as string : e is FileNotFoundException { FileName: { } name } && name.EndsWith(".parquet", StringComparison.Ordinal) ? name : null;

    /// <summary>Takes note of one and returns what the operator should know, one line.</summary>
    public string Note(string path, Exception cause)
    {
        // Its name begins with its day.
        var name = Path.GetFileNameWithoutExtension(path);
        var date = name[..Math.Max(0, name.LastIndexOf('-'))];
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"The part {path} of the series store cannot be read: {Reason(cause)}. Questions about {date} (UTC) fail until it can; all other days and the taking of readings go on. Run hub check, and put the file back from a backup, or restore the folder from one (hub restore).");
        if (_found.TryAdd(path, message))
        {
            instruments.PartFailed();
            LogUnreadable(log, cause, path, date);
        }

        return message;
    }

    /// <summary>It could be read after all.</summary>
    public void Mended(string path)
    {
        if (!_found.IsEmpty)
        {
            _found.TryRemove(path, out _);
        }
    }

    /// <summary>One line for the operator about those that are still live; null when there are none.</summary>
    public string? Warning(PartStore store)
    {
        if (_found.IsEmpty)
        {
            return null;
        }

        var live = store.Manifest.Parts.Select(store.Folder.Part).ToHashSet(StringComparer.Ordinal);
        foreach (var path in _found.Keys.Where(path => !live.Contains(path)))
        {
            _found.TryRemove(path, out _);
        }

        var messages = _found.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value).ToList();
        return messages.Count == 0 ? null : messages.Count == 1 ? messages[0] : string.Create(CultureInfo.InvariantCulture, $"{messages[0]} Other parts that cannot be read: {messages.Count - 1}.");
    }

    /// <summary>The cause without the file's name where it says it itself, and without its own advice.</summary>
    private static string Reason(Exception cause) => (cause is InvalidDataException { InnerException: { } inner } ? inner.Message : cause.Message).TrimEnd('.');

    [LoggerMessage(40, LogLevel.Error, "The part {Path} of the series store cannot be read. Questions about {Day} (UTC) fail; all other days and the taking of readings go on. Run hub check, and put the file back from a backup, or restore the folder from one (hub restore).")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string path, string day);
}
