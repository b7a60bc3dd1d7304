using DuckDB.NET.Data;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer.Mapping;

namespace Hub.Cloud.Transfer.Export;

/// <summary>
/// Parquet (format 2, zstd). Rows gather in a database file of their own beside the target, which DuckDB then writes out in one go: memory stays bounded, and one file comes out that is sorted as
/// it was given. Every number comes back to the last bit, but of -0 and 0 in one row group only one. That file takes about as much room as the target, and is gone afterwards.
/// </summary>
internal sealed class ParquetSink : ObservationSink
{
    /// <summary>Rows between two commits of the gathering file: bounds what the database keeps in its log.</summary>
    private const int AppenderRows = 1_000_000;

    private readonly string _target;
    private readonly string _gathering;
    private readonly DuckDBConnection _connection;
    private DuckDBAppender? _appender;
    private Datastream? _datastream;
    private int _rows;

    public ParquetSink(string target)
    {
        _target = target;
        _gathering = target + ".gathering";
        Remove();
        _connection = DuckMemory.Open(_gathering, _gathering + ".spill");
        DuckMemory.Execute(
            _connection,
            """
            CREATE TABLE rows (municipality VARCHAR NOT NULL, station VARCHAR NOT NULL, sensor VARCHAR NOT NULL, property VARCHAR NOT NULL, period INTEGER NOT NULL, micros BIGINT NOT NULL,
            result DOUBLE NOT NULL, unit VARCHAR NOT NULL, quality VARCHAR NOT NULL, calibration INTEGER NOT NULL, raw DOUBLE, coverage DOUBLE, revision INTEGER NOT NULL)
            """);
    }

    /// <inheritdoc/>
    public override void Begin(Datastream datastream) => _datastream = datastream;

    /// <inheritdoc/>
    public override void Write(in Observation observation)
    {
        var datastream = _datastream!;
        _appender ??= _connection.CreateAppender("rows");
        _appender.CreateRow()
            .AppendValue(datastream.Station.Municipality).AppendValue(datastream.Station.Slug).AppendValue(datastream.Sensor).AppendValue(datastream.Quantity.Id)
            .AppendValue((int)datastream.Period.TotalSeconds).AppendValue((observation.PhenomenonTime.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond)
            .AppendValue(observation.Result).AppendValue(datastream.Quantity.SenmlUnit).AppendValue(QualityText.Of(observation.Quality)).AppendValue(observation.Calibration)
            .AppendValue(double.IsNaN(observation.Raw) ? null : observation.Raw).AppendValue(double.IsNaN(observation.Coverage) ? null : observation.Coverage).AppendValue(observation.Revision)
            .EndRow();
        if (++_rows % AppenderRows == 0)
        {
            CloseAppender();
        }
    }

    /// <inheritdoc/>
    public override void Complete()
    {
        CloseAppender();

        // The sum is exact, and a TIMESTAMP WITH TIME ZONE is an instant to every reader.
        var columns = string.Join(", ", ExportColumns.Names.Select(name => name == ExportColumns.PhenomenonTime ? $"CAST(make_timestamp(micros) AS TIMESTAMPTZ) AS \"{name}\"" : $"\"{name}\""));
        DuckMemory.Execute(
            _connection,
            $"COPY (SELECT {columns} FROM rows) TO '{_target.Replace("'", "''", StringComparison.Ordinal)}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 131072)");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _appender?.Dispose();
        _connection.Dispose();
        Remove();
    }

    private void CloseAppender()
    {
        _appender?.Close();
        _appender?.Dispose();
        _appender = null;
    }

    private void Remove()
    {
        File.Delete(_gathering);
        File.Delete(_gathering + ".wal");
        if (Directory.Exists(_gathering + ".spill"))
        {
            Directory.Delete(_gathering + ".spill", recursive: true);
        }
    }
}
