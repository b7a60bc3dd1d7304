using System.Globalization;

namespace Hub.Cloud.Transfer.Migration;

/// <summary>
/// How far each datastream has come: lines <c>datastream,ticks</c>, appended after each commit, the last one of a datastream counts; <c>done</c> in place of the ticks when all of it is copied. A line
/// that a power cut tore is left out. Datastream 0 stands for the rollups that are kept without observations, of all datastreams. It only saves work: what is copied again is a duplicate.
/// </summary>
internal sealed class MigrationCursors : IDisposable
{
    /// <summary>Stands for the rollups that are kept without observations: no datastream has this number.</summary>
    public const int Rollups = 0;

    private const string DoneWord = "done";

    private readonly string _path;
    private readonly Dictionary<int, DateTime?> _cursors = [];
    private readonly StreamWriter _writer;

    private MigrationCursors(string path)
    {
        _path = path;
        var torn = false;
        if (File.Exists(path))
        {
            var text = File.ReadAllText(path);
            torn = text.Length > 0 && !text.EndsWith('\n');
            var lines = text.Split('\n');
            foreach (var line in lines[..^1])
            {
                if (line.Split(',') is [var datastream, var cursor] && int.TryParse(datastream, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                {
                    if (cursor == DoneWord)
                    {
                        _cursors[id] = null;
                    }
                    else if (long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTime.MaxValue.Ticks)
                    {
                        _cursors[id] = new DateTime(ticks, DateTimeKind.Utc);
                    }
                }
            }
        }

        _writer = new StreamWriter(path, append: true) { NewLine = "\n" };
        if (torn)
        {
            _writer.WriteLine();
        }
    }

    /// <summary>Opens or makes the file.</summary>
    /// <exception cref="TransferException">It cannot be used.</exception>
    public static MigrationCursors Open(string path)
    {
        try
        {
            return new MigrationCursors(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, exception);
        }
    }

    /// <summary>True when all of a datastream was copied.</summary>
    public bool IsDone(int datastream) => _cursors.TryGetValue(datastream, out var cursor) && cursor is null;

    /// <summary>Where to go on with a datastream: everything before is copied.</summary>
    public DateTime From(int datastream) => _cursors.GetValueOrDefault(datastream) ?? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>Notes that everything of a datastream before an instant is copied; null for all of it.</summary>
    public void Note(int datastream, DateTime? before)
    {
        try
        {
            _cursors[datastream] = before;
            _writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{datastream},{(before is { } at ? at.Ticks.ToString(CultureInfo.InvariantCulture) : DoneWord)}"));
            _writer.Flush();
        }
        catch (IOException exception)
        {
            throw Unusable(_path, exception);
        }
    }

    /// <summary>Removes the file: all is copied and verified.</summary>
    public void Complete()
    {
        Dispose();
        File.Delete(_path);
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private static TransferException Unusable(string path, Exception exception) =>
        new($"The cursor file {path} cannot be used ({exception.Message.TrimEnd('.')}). Check its folder and permissions, or name another one with --cursors.", exception);
}
