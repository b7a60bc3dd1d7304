using System.Text;
using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>
/// How one publisher writes its files. A format says what stands where; <see cref="TableReader"/> reads it. Stateless.
/// </summary>
internal abstract class ReplayFormat
{
    /// <summary>All named formats, and the one that is described by its options.</summary>
    public static IReadOnlyList<ReplayFormat> All { get; } =
        [new OstluftFormat(), new OpenSenseMapFormat(), new CityPulseFormat(), new TelraamFormat(), new NoiseMonitorFormat(), new CsvFormat()];

    /// <summary>Name in the station file.</summary>
    public abstract string Name { get; }

    /// <summary>Quantity ids the format can give; empty where its options say so.</summary>
    public abstract IReadOnlyList<string> Quantities { get; }

    /// <summary>The format of a name; null when there is none.</summary>
    public static ReplayFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>Encoding of the file.</summary>
    public virtual Encoding Encoding(ReplaySensorOptions options) => System.Text.Encoding.UTF8;

    /// <summary>Character between fields.</summary>
    public virtual char Delimiter(ReplaySensorOptions options) => ',';

    /// <summary>What is wrong with the options that only this format knows; each failure begins with the key.</summary>
    public virtual IEnumerable<string> Failures(ReplaySensorOptions options, string key) => [];

    /// <summary>Reads the headings, up to the first row of data, and says what stands where.</summary>
    /// <exception cref="SensorException">The headings are not those of the format, or do not have what the options ask for.</exception>
    public abstract TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options);

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="options">Settings, validated.</param>
    /// <exception cref="SensorException">The file is damaged or not of this format.</exception>
    public ReplayTable Read(string path, string name, ReplaySensorOptions options)
    {
        using LineReader lines = LineReader.Open(path, name, Encoding(options));
        TableLayout layout = Layout(lines, name, options) with
        {
            StampIsEnd = options.Stamp == ReplayStamp.End,
        };
        layout = layout with
        {
            Period = options.Period ?? layout.Period,
            Zone = options.Zone is null ? layout.Zone : ReplayZone.Find(options.Zone),
            Place = options.Place is null ? layout.Place : ReplayZone.Find(options.Place),
            Columns = options.Quantities.Count == 0 ? layout.Columns : [.. layout.Columns.Where(column => options.Quantities.Contains(column.Property))],
        };
        foreach (string quantity in options.Quantities)
        {
            if (!layout.Columns.Any(column => column.Property == quantity))
            {
                throw new SensorException($"{name} has no column for '{quantity}'. Take it out of 'quantities', or check 'series' and 'format'.");
            }
        }

        return TableReader.Read(lines, name, Delimiter(options), layout);
    }

    /// <summary>Reads the one heading line that most formats have.</summary>
    protected string[] Headings(LineReader lines, string name, ReplaySensorOptions options)
    {
        return lines.TryRead(out ReadOnlySpan<char> line)
            ? Cells(line, Delimiter(options), name, lines.LineNumber)
            : throw new SensorException($"{name} is empty.");
    }

    /// <summary>Fields of a heading line as text.</summary>
    protected static string[] Cells(ReadOnlySpan<char> line, char delimiter, string name, int lineNumber)
    {
        Span<Range> ranges = stackalloc Range[Fields.FieldsMax];
        int count = Fields.Split(line, delimiter, ranges);
        if (count < 0)
        {
            throw new SensorException($"{name}, line {lineNumber}: the headings cannot be read. Is the file damaged, or the format not the right one?");
        }

        var cells = new string[count];
        for (int index = 0; index < count; index++)
        {
            cells[index] = line[ranges[index]].ToString();
        }

        return cells;
    }

    /// <summary>Field with a heading.</summary>
    /// <exception cref="SensorException">There is no such heading; the message lists what there is.</exception>
    protected static int Field(string[] headings, string heading, string name, int lineNumber)
    {
        int field = Array.IndexOf(headings, heading);
        return field >= 0
            ? field
            : throw new SensorException($"{name}, line {lineNumber}: there is no column '{heading}' among {string.Join(", ", headings.Take(12).Select(other => $"'{other}'"))}{(headings.Length > 12 ? ", ..." : "")}. Is 'format' the right one?");
    }
}
