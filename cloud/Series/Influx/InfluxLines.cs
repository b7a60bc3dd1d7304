using System.Globalization;
using System.Text;

namespace Hub.Cloud.Series;

/// <summary>What one line of a write is about. Observation is unset for the line that notes the commit.</summary>
/// <param name="Observation">The row.</param>
/// <param name="Lost">It belongs to the history.</param>
/// <param name="End">Where the line ends in the text, behind its line break.</param>
internal readonly record struct InfluxLine(Observation Observation, bool Lost, int End);

/// <summary>
/// Observations as line protocol, precision microseconds. Names of measurements, tags and fields are a contract with dashboards: README.md of this folder. The text is kept and reused; one user at a time.
/// </summary>
internal sealed class InfluxLines(IDatastreamLabels? labels)
{
    public const string Measurement = "observation";
    public const string HistoryMeasurement = "observation_history";
    public const string CommitMeasurement = "observation_commit";

    /// <summary>InfluxDB keeps nanoseconds in 64 bits: the first and the last whole microsecond it can hold, 1677-09-21 and 2262-04-11.</summary>
    public const long MinMicros = -9_223_372_036_854_775;
    public const long MaxMicros = 9_223_372_036_854_775;

    private const int LabelCharactersMax = 200;

    private readonly Dictionary<int, byte[]> _keys = [];
    private readonly List<InfluxLine> _lines = [];
    private byte[] _text = new byte[64 * 1024];
    private int _length;
    private long _labelsVersion = long.MinValue;

    public IReadOnlyList<InfluxLine> Lines => _lines;

    public void Clear()
    {
        _lines.Clear();
        _length = 0;
        if (labels is { } source && source.Version is var version && version != _labelsVersion)
        {
            _labelsVersion = version;
            _keys.Clear();
        }
    }

    /// <summary>Lines [from, to) as they are sent; valid until the next change.</summary>
    public ReadOnlyMemory<byte> Text(int from, int to)
    {
        var start = from == 0 ? 0 : _lines[from - 1].End;
        return _text.AsMemory(start, _lines[to - 1].End - start);
    }

    /// <summary>
    /// Adds a row. A line that is written over keeps those of its old fields that the new one does not name. So where something may be there already, <paramref name="whole"/> names every field, and
    /// says which of raw and coverage no longer count.
    /// </summary>
    public void AddRow(in Observation row, long commit, bool whole)
    {
        Reserve(512);
        Put(KeyOf(row.Datastream));
        PutFields(row, commit, whole);
        End(row, lost: false);
    }

    /// <summary>Adds a value that lost. Those of one key differ in the tag <c>loser</c>, 0, 1, 2, ...</summary>
    public void AddLoser(in Observation row, long commit, int loser)
    {
        Reserve(512);
        Put("observation_history,datastream="u8);
        Put(row.Datastream);
        Put(",loser="u8);
        Put(loser);
        Put(" "u8);
        PutFields(row, commit, whole: true);
        End(row, lost: true);
    }

    /// <summary>Adds the note about commits of one second.</summary>
    /// <param name="second">Seconds since 1970.</param>
    /// <param name="commit">The last of them.</param>
    /// <param name="earliest">Earliest phenomenon time they changed, microseconds; null when they only added to the history.</param>
    public void AddCommit(long second, long commit, long? earliest)
    {
        Reserve(256);
        Put("observation_commit last="u8);
        Put(commit);
        Put("i"u8);
        if (earliest is { } micros)
        {
            Put(",earliest="u8);
            Put(micros);
            Put("i"u8);
        }

        Put(" "u8);
        Put(second * 1_000_000);
        End(default, lost: false);
    }

    private void PutFields(in Observation row, long commit, bool whole)
    {
        Put("result="u8);
        Put(row.Result);
        Put(",quality="u8);
        Put((int)row.Quality);
        Put("i,commit="u8);
        Put(commit);
        Put("i"u8);
        if (!double.IsNaN(row.Raw))
        {
            Put(",raw="u8);
            Put(row.Raw);
        }

        if (!double.IsNaN(row.Coverage))
        {
            Put(",coverage="u8);
            Put(row.Coverage);
        }

        if (whole || row.Calibration != 0)
        {
            Put(",calibration="u8);
            Put(row.Calibration);
            Put("i"u8);
        }

        if (whole || row.Revision != 0)
        {
            Put(",revision="u8);
            Put(row.Revision);
            Put("i"u8);
        }

        if (whole)
        {
            Put(",unstated="u8);
            Put((double.IsNaN(row.Raw) ? 1 : 0) | (double.IsNaN(row.Coverage) ? 2 : 0));
            Put("i"u8);
        }

        Put(" "u8);
        Put(EventTime.Micros(row.PhenomenonTime));
    }

    private void End(in Observation row, bool lost)
    {
        Put("\n"u8);
        _lines.Add(new InfluxLine(row, lost, _length));
    }

    private byte[] KeyOf(int datastream)
    {
        if (!_keys.TryGetValue(datastream, out var key))
        {
            _keys[datastream] = key = Encoding.UTF8.GetBytes(Key(Measurement, datastream, labels?.Of(datastream) ?? []));
        }

        return key;
    }

    /// <summary>Measurement and tags, in the order of names that the server stores them in.</summary>
    public static string Key(string measurement, int datastream, IReadOnlyCollection<KeyValuePair<string, string>> labels, KeyValuePair<string, string>? own = null)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in labels)
        {
            // Names that InfluxDB keeps for itself, and a value of nothing, cannot be tags.
            if (name.Length > 0 && name is not "time" && name[0] != '_' && Clean(value) is { Length: > 0 } clean)
            {
                tags[Clean(name)] = clean;
            }
        }

        if (own is { } tag)
        {
            tags[tag.Key] = tag.Value;
        }

        tags["datastream"] = datastream.ToString(CultureInfo.InvariantCulture);
        var key = new StringBuilder(measurement);
        foreach (var (name, value) in tags)
        {
            key.Append(',').Append(name).Append('=').Append(value);
        }

        return key.Append(' ').ToString();
    }

    /// <summary>Escaped for line protocol. A backslash before a separator would be read as an escape and one at the end as the next character's, so none is written; nor is a line break.</summary>
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length + 8);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LabelCharactersMax)).Trim())
        {
            if (c is ',' or '=' or ' ')
            {
                clean.Append('\\');
            }

            clean.Append(c == '\\' ? '/' : char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return clean.ToString();
    }

    private void Reserve(int bytes)
    {
        // Room for a line without its tags; tags reserve their own.
        if (_text.Length - _length < bytes)
        {
            Array.Resize(ref _text, Math.Max(2 * _text.Length, _length + bytes));
        }
    }

    private void Put(ReadOnlySpan<byte> text)
    {
        Reserve(text.Length + 512);
        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
    }

    private void Put(long number)
    {
        number.TryFormat(_text.AsSpan(_length), out var written, default, CultureInfo.InvariantCulture);
        _length += written;
    }

    private void Put(double number)
    {
        // The shortest text that reads back as the same bits; a negative zero keeps its sign.
        number.TryFormat(_text.AsSpan(_length), out var written, "R", CultureInfo.InvariantCulture);
        _length += written;
    }
}
