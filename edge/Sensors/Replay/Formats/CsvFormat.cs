using System.Globalization;
using System.Text;
using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay.Formats;

/// <summary>Any table that its options describe.</summary>
internal sealed class CsvFormat : ReplayFormat
{
    private const int HeadingLinesMax = 100;

    public override string Name => "csv";

    public override IReadOnlyList<string> Quantities { get; } = [];

    public override Encoding Encoding(ReplaySensorOptions options) =>
        options.Csv!.Encoding == "latin-1" ? System.Text.Encoding.Latin1 : System.Text.Encoding.UTF8;

    public override char Delimiter(ReplaySensorOptions options) => options.Csv!.Delimiter == "tab" ? '\t' : options.Csv.Delimiter[0];

    public override IEnumerable<string> Failures(ReplaySensorOptions options, string key)
    {
        if (options.Csv is not { } csv)
        {
            yield return $"{key}:Csv is missing: it describes the columns of the file.";
            yield break;
        }

        if (csv.Delimiter != "tab" && (csv.Delimiter.Length != 1 || csv.Delimiter is "\"" or "." or " "))
        {
            yield return $"{key}:Csv:Delimiter is '{csv.Delimiter}': give one character such as ; or , or the word tab.";
        }

        if (csv.Encoding is not ("utf-8" or "latin-1"))
        {
            yield return $"{key}:Csv:Encoding is '{csv.Encoding}': give utf-8 or latin-1.";
        }

        if (csv.HeadingLines is < 0 or > HeadingLinesMax)
        {
            yield return $"{key}:Csv:HeadingLines is {csv.HeadingLines}: give 0 to {HeadingLinesMax}.";
        }

        if (csv.TimeColumn.Length == 0 || csv.TimeFormat.Length == 0)
        {
            yield return $"{key}:Csv:TimeColumn and {key}:Csv:TimeFormat are both needed, e.g. 'datetime' and 'yyyy-MM-dd HH:mm'.";
        }

        if (csv.FilterColumn is null != csv.FilterValue is null)
        {
            yield return $"{key}:Csv:FilterColumn and {key}:Csv:FilterValue belong together.";
        }

        if (csv.Columns.Count == 0)
        {
            yield return $"{key}:Csv:Columns is empty: name the columns to replay and their quantities.";
        }

        for (int index = 0; index < csv.Columns.Count; index++)
        {
            CsvColumnOptions column = csv.Columns[index];
            if (column.Column.Length == 0 || column.Quantity.Length == 0)
            {
                yield return $"{key}:Csv:Columns:{index} needs Column and Quantity.";
            }

            if (!double.IsFinite(column.Factor) || column.Factor == 0 || !double.IsFinite(column.Offset))
            {
                yield return $"{key}:Csv:Columns:{index}:Factor must be a number other than zero, Offset a number.";
            }
        }

        foreach (string quantity in csv.Columns.GroupBy(column => column.Quantity).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return $"{key}:Csv:Columns has '{quantity}' twice: use a sensor for each.";
        }
    }

    public override TableLayout Layout(LineReader lines, string name, ReplaySensorOptions options)
    {
        CsvFormatOptions csv = options.Csv!;
        string[] headings = [];
        for (int line = 0; line < csv.HeadingLines; line++)
        {
            if (!lines.TryRead(out ReadOnlySpan<char> text))
            {
                throw new SensorException($"{name} ends at line {lines.LineNumber}, within its headings. Is 'headingLines' right?");
            }

            if (line == csv.HeadingLines - 1)
            {
                headings = Cells(text, Delimiter(options), name, lines.LineNumber);
            }
        }

        TimeZoneInfo zone = ReplayZone.Find(options.Zone ?? "UTC");
        return new TableLayout
        {
            TimeField = Place(csv.TimeColumn),
            TimeFieldSecond = csv.TimeColumnSecond is null ? null : Place(csv.TimeColumnSecond),
            TimeFormats = [csv.TimeFormat],
            Zone = zone,
            Place = options.Place is null ? zone : ReplayZone.Find(options.Place),
            Period = TimeSpan.Zero,
            NewestFirst = csv.NewestFirst,
            DecimalComma = csv.DecimalComma,
            Missing = [.. csv.Missing],
            Filter = csv.FilterColumn is null ? null : (Place(csv.FilterColumn), csv.FilterValue!),
            Coverage = csv.CoverageColumn is null ? null : (Place(csv.CoverageColumn), Share),
            Columns =
            [
                .. csv.Columns.Select(column => new ColumnLayout(
                    Place(column.Column),
                    column.Column,
                    column.Quantity,
                    column.Factor,
                    column.Offset,
                    column.OnlyWhere is null ? null : (Place(column.OnlyWhere), column.OnlyAbove))),
            ],
        };

        int Place(string column) =>
            column.StartsWith('#') && int.TryParse(column.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int place) && place is >= 1 and <= Fields.FieldsMax
                ? place - 1
                : Field(headings, column, name, lines.LineNumber);
    }

    private static bool Share(ReadOnlySpan<char> text, out double share, out bool poor)
    {
        poor = false;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share);
    }
}
