using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>An observation without its datastream, as the memory table keeps it: 48 bytes.</summary>
internal readonly struct MemoryRow(in Observation observation, uint commit)
{
    /// <summary>Phenomenon time, microseconds since 1970 UTC.</summary>
    public long Micros { get; } = EventTime.Micros(observation.PhenomenonTime);

    private readonly double _result = observation.Result;
    private readonly double _raw = observation.Raw;
    private readonly double _coverage = observation.Coverage;
    private readonly int _quality = (int)observation.Quality;
    private readonly int _calibration = observation.Calibration;
    private readonly int _revision = observation.Revision;

    /// <summary>Commit that brought the row, counted from the first commit of the table.</summary>
    public uint Commit { get; } = commit;

    public Observation ToObservation(int datastream) => new(datastream, EventTime.Time(Micros), _result, (Quality)_quality)
    {
        Raw = _raw,
        Calibration = _calibration,
        Coverage = _coverage,
        Revision = _revision,
    };

    public void CopyTo(ObservationColumns columns)
    {
        columns.Micros.Add(Micros);
        columns.Results.Add(_result);
        columns.Qualities.Add(_quality);
        columns.Raws.Add(_raw);
        columns.Calibrations.Add(_calibration);
        columns.Coverages.Add(_coverage);
        columns.Revisions.Add(_revision);
    }
}
