using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>A row that the server does not take.</summary>
/// <param name="Row">The row.</param>
/// <param name="Lost">It belongs to the history.</param>
/// <param name="Commit">The commit that brought it.</param>
/// <param name="Reason">What the server said.</param>
internal sealed record RefusedRow(Observation Row, bool Lost, long Commit, string Reason);

/// <summary>
/// The file <c>refused.jsonl</c>: acknowledged rows that the server refused, one JSON object a line with the reason, for the operator to read; the hub reads it at start. Bounded. One user at a time.
/// </summary>
internal sealed class RefusedFile(string path, int rowsMax)
{
    private readonly List<RefusedRow> _rows = [];

    /// <summary>Rows in the file, in order of their refusal.</summary>
    public IReadOnlyList<RefusedRow> Rows => _rows;

    /// <summary>Rows in the file; read by anyone.</summary>
    public int Count => Volatile.Read(ref _count);

    private int _count;

    public string Path => path;

    /// <summary>Reads the file. A last line without its end was not acknowledged and is cut off.</summary>
    /// <exception cref="InvalidDataException">A line is damaged; the message names it.</exception>
    public void Open()
    {
        if (!File.Exists(path))
        {
            return;
        }

        var text = File.ReadAllBytes(path);
        var (at, line) = (0, 0);
        while (text.AsSpan(at).IndexOf((byte)'\n') is var length && length >= 0)
        {
            line++;
            try
            {
                _rows.Add(Read(text.AsMemory(at, length)));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Line {line} of {path} is damaged: mend it, or move the file away; the observations in it are not in InfluxDB."), e);
            }

            at += length + 1;
        }

        _count = _rows.Count;
        if (at < text.Length)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.SetLength(file, at);
            RandomAccess.FlushToDisk(file);
        }
    }

    /// <summary>Puts rows on disk; false when there is no room for all of them, and then none is kept.</summary>
    /// <exception cref="IOException">The disk does not take them.</exception>
    public bool TryAdd(IReadOnlyCollection<RefusedRow> rows, DateTimeOffset now)
    {
        if (_rows.Count + rows.Count > rowsMax)
        {
            return false;
        }

        var existed = File.Exists(path);
        using (var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite))
        {
            var end = RandomAccess.GetLength(file);
            try
            {
                RandomAccess.Write(file, Text(rows, now), end);
                RandomAccess.FlushToDisk(file);
            }
            catch
            {
                RandomAccess.SetLength(file, end);
                throw;
            }
        }

        if (!existed)
        {
            FlushFolder();
        }

        _rows.AddRange(rows);
        Volatile.Write(ref _count, _rows.Count);
        return true;
    }

    /// <summary>Puts other rows in the place of all, at once or not at all.</summary>
    public void Replace(IReadOnlyCollection<RefusedRow> rows, DateTimeOffset now)
    {
        var next = path + ".next";
        using (var file = File.OpenHandle(next, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, Text(rows, now), 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(next, path, overwrite: true);
        FlushFolder();
        _rows.Clear();
        _rows.AddRange(rows);
        Volatile.Write(ref _count, _rows.Count);
    }

    private void FlushFolder()
    {
        if (!OperatingSystem.IsWindows())
        {
            LogDisk.Real.FlushFolder(System.IO.Path.GetDirectoryName(path)!);
        }
    }

    private static byte[] Text(IReadOnlyCollection<RefusedRow> rows, DateTimeOffset now)
    {
        using var text = new MemoryStream();
        foreach (var (row, lost, commit, reason) in rows)
        {
            using (var json = new Utf8JsonWriter(text))
            {
                json.WriteStartObject();
                json.WriteString("reason", reason);
                json.WriteString("refused", now);
                json.WriteBoolean("lost", lost);
                json.WriteNumber("commit", commit);
                json.WriteNumber("datastream", row.Datastream);
                json.WriteString("time", row.PhenomenonTime);
                json.WriteNumber("result", row.Result);
                json.WriteNumber("quality", (int)row.Quality);
                if (!double.IsNaN(row.Raw))
                {
                    json.WriteNumber("raw", row.Raw);
                }

                json.WriteNumber("calibration", row.Calibration);
                if (!double.IsNaN(row.Coverage))
                {
                    json.WriteNumber("coverage", row.Coverage);
                }

                json.WriteNumber("revision", row.Revision);
                json.WriteEndObject();
            }

            text.WriteByte((byte)'\n');
        }

        return text.ToArray();
    }

    private static RefusedRow Read(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var json = document.RootElement;
        var row = new Observation(
            json.GetProperty("datastream").GetInt32(),
            json.GetProperty("time").GetDateTime().ToUniversalTime(),
            json.GetProperty("result").GetDouble(),
            (Quality)json.GetProperty("quality").GetInt32())
        {
            Raw = json.TryGetProperty("raw", out var raw) ? raw.GetDouble() : double.NaN,
            Calibration = json.GetProperty("calibration").GetInt32(),
            Coverage = json.TryGetProperty("coverage", out var coverage) ? coverage.GetDouble() : double.NaN,
            Revision = json.GetProperty("revision").GetInt32(),
        };
        return new RefusedRow(row, json.GetProperty("lost").GetBoolean(), json.GetProperty("commit").GetInt64(), json.GetProperty("reason").GetString() ?? "");
    }
}
