using Hub.Cloud.Transfer.Export;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;

namespace Hub.Cloud.Transfer.Import;

/// <summary>What the hub writes itself needs no mapping: it is told by its columns.</summary>
internal static class OwnFormats
{
    /// <summary>Opens a file for which there is no mapping.</summary>
    /// <exception cref="TransferException">The hub did not write it.</exception>
    public static RowReader Open(string path, TransferFormat format, out MappingSource source)
    {
        if (format == TransferFormat.Lines)
        {
            source = Lines();
            return LineProtocolReader.Open(path);
        }

        source = Table();
        RowReader? reader = null;
        try
        {
            reader = format == TransferFormat.Csv ? CsvReader.Open(path, source) : ParquetReader.Open(path);
            var columns = reader is CsvReader csv ? csv.Headings : ((ParquetReader)reader).Columns;
            return columns.Order(StringComparer.Ordinal).SequenceEqual(ExportColumns.Names.Order(StringComparer.Ordinal))
                ? reader
                : throw new TransferException($"{path} was not written by hub export, whose columns are {string.Join(", ", ExportColumns.Names)}. Say with --mapping which of its columns is what (cloud/Transfer/README.md).");
        }
        catch
        {
            reader?.Dispose();
            throw;
        }
    }

    private static MappingSource Table() => new()
    {
        TimeColumn = ExportColumns.PhenomenonTime,
        Checked = true,
        Targets =
        [
            new MappingTarget
            {
                Station = $"{{{ExportColumns.Municipality}}}/{{{ExportColumns.Station}}}",
                Sensor = $"{{{ExportColumns.Sensor}}}",
                Period = $"{{{ExportColumns.Period}}}",
                QualityColumn = ExportColumns.Quality,
                RawColumn = ExportColumns.Raw,
                CalibrationColumn = ExportColumns.Calibration,
                CoverageColumn = ExportColumns.Coverage,
                RevisionColumn = ExportColumns.Revision,
                Columns = [new MappingColumn { Column = ExportColumns.Result, Quantity = $"{{{ExportColumns.Property}}}", Unit = $"{{{ExportColumns.Unit}}}" }],
            },
        ],
    };

    private static MappingSource Lines() => new()
    {
        Format = "lines",
        Checked = true,
        Targets =
        [
            new MappingTarget
            {
                Station = $"{{{ExportColumns.Municipality}}}/{{{ExportColumns.Station}}}",
                Sensor = $"{{{ExportColumns.Sensor}}}",
                Period = $"{{{ExportColumns.Period}}}",
                FilterColumn = LineProtocolReader.Measurement,
                FilterValue = LineSink.Measurement,
                QualityColumn = ExportColumns.Quality,
                RawColumn = ExportColumns.Raw,
                CalibrationColumn = ExportColumns.Calibration,
                CoverageColumn = ExportColumns.Coverage,
                RevisionColumn = ExportColumns.Revision,
                Columns = [new MappingColumn { Column = ExportColumns.Result, Quantity = $"{{{ExportColumns.Property}}}" }],
            },
        ],
    };
}
