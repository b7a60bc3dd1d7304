using System.Globalization;
using System.Text;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer.Mapping;

namespace Hub.Cloud.Transfer.Export;

/// <summary>Rollups that are kept without their observations as CSV (RFC 4180), UTF-8, one heading line, a row for each cell. No field ever needs a quote. Numbers read back as the same bits.</summary>
internal sealed class RollupCsv : IDisposable
{
    /// <summary>The columns, in their order.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        ExportColumns.Municipality, ExportColumns.Station, ExportColumns.Sensor, ExportColumns.Property, ExportColumns.Period, "start", "width", "of", "count", ExportColumns.Unit, ExportColumns.Quality,
        "covered", "sum", "min", "max", "first", "last", "energySum", "east", "north",
    ];

    private readonly StreamWriter _writer;

    /// <summary>Writes the heading.</summary>
    /// <param name="output">Left open.</param>
    public RollupCsv(Stream output)
    {
        _writer = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 64 * 1024, leaveOpen: true) { NewLine = "\r\n" };
        _writer.WriteLine(string.Join(',', Names));
    }

    /// <summary>Writes the cells of a day.</summary>
    public void Write(Datastream datastream, CondensedDay day)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture, $"{datastream.Station.Municipality},{datastream.Station.Slug},{datastream.Sensor},{datastream.Quantity.Id},{(int)datastream.Period.TotalSeconds},");
        foreach (var cell in day.Cells)
        {
            _writer.Write(head);
            _writer.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"{cell.Start:yyyy-MM-dd'T'HH:mm:ss'Z'},{(int)cell.Width.TotalSeconds},{(cell.WithoutFlagged ? "unflagged" : "all")},{cell.Count},{datastream.Quantity.SenmlUnit},{QualityText.Of(cell.Quality)},"));
            _writer.WriteLine(string.Join(',', new[] { cell.Covered, cell.Sum, cell.Min, cell.Max, cell.First, cell.Last, cell.EnergySum, cell.East, cell.North }.Select(Text)));
        }
    }

    /// <summary>Sends on what has gathered.</summary>
    public void Complete() => _writer.Flush();

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private static string Text(double number) => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture);
}
