using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Observations of one datastream, field by field: what travels between memory, parts on disk and questions. All columns have the same length. Whoever fills it keeps the rows in strictly ascending
/// order of time unless it says otherwise. Not safe for concurrent use; made once and cleared for reuse.
/// </summary>
internal sealed class ObservationColumns
{
    /// <summary>Phenomenon times, microseconds since 1970 UTC.</summary>
    public List<long> Micros { get; } = [];

    /// <summary>Results in the canonical unit.</summary>
    public List<double> Results { get; } = [];

    /// <summary>Quality flags.</summary>
    public List<int> Qualities { get; } = [];

    /// <summary>Values before calibration; NaN where none was applied.</summary>
    public List<double> Raws { get; } = [];

    /// <summary>Versions of the calibration; 0 where none was applied.</summary>
    public List<int> Calibrations { get; } = [];

    /// <summary>Shares of the averaging period measured, 0 to 1; NaN where not stated.</summary>
    public List<double> Coverages { get; } = [];

    /// <summary>Revisions by the source.</summary>
    public List<int> Revisions { get; } = [];

    /// <summary>Number of rows.</summary>
    public int Count => Micros.Count;

    /// <summary>One row as an observation of a datastream.</summary>
    public Observation Get(int row, int datastream) => new(datastream, EventTime.Time(Micros[row]), Results[row], (Quality)Qualities[row])
    {
        Raw = Raws[row],
        Calibration = Calibrations[row],
        Coverage = Coverages[row],
        Revision = Revisions[row],
    };

    /// <summary>Adds a row at the end; the datastream is left to the caller.</summary>
    public void Add(in Observation observation)
    {
        Micros.Add(EventTime.Micros(observation.PhenomenonTime));
        Results.Add(observation.Result);
        Qualities.Add((int)observation.Quality);
        Raws.Add(observation.Raw);
        Calibrations.Add(observation.Calibration);
        Coverages.Add(observation.Coverage);
        Revisions.Add(observation.Revision);
    }

    /// <summary>Adds rows [from, to) of another one.</summary>
    public void AddRange(ObservationColumns other, int from, int to)
    {
        Append(Micros, other.Micros, from, to);
        Append(Results, other.Results, from, to);
        Append(Qualities, other.Qualities, from, to);
        Append(Raws, other.Raws, from, to);
        Append(Calibrations, other.Calibrations, from, to);
        Append(Coverages, other.Coverages, from, to);
        Append(Revisions, other.Revisions, from, to);
    }

    /// <summary>Forgets all rows; the memory stays.</summary>
    public void Clear()
    {
        Micros.Clear();
        Results.Clear();
        Qualities.Clear();
        Raws.Clear();
        Calibrations.Clear();
        Coverages.Clear();
        Revisions.Clear();
    }

    private static void Append<T>(List<T> target, List<T> source, int from, int to) => target.AddRange(CollectionsMarshal.AsSpan(source)[from..to]);
}
