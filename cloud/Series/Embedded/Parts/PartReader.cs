using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>
/// Reads one part. Safe for concurrent callers after opening: it reads at positions and keeps nothing but the footer and the page index. Every page is checked against its checksum and the index before
/// a row of it is handed out. Disposing it while a call runs lets that call fail.
/// </summary>
internal sealed class PartReader : IDisposable
{
    /// <summary>Under this key the data of an exception names the file that is damaged.</summary>
    internal const string PathKey = "part";

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly PartIndex _index;

    private PartReader(string path, SafeFileHandle file, PartIndex index)
    {
        _path = path;
        _file = file;
        _index = index;
    }

    /// <summary>What the part holds.</summary>
    public PartSummary Summary => _index.Summary;

    /// <summary>The datastreams of the part in ascending order, each once; reads their column while it is enumerated.</summary>
    /// <exception cref="InvalidDataException">A page is damaged.</exception>
    public IEnumerable<int> Datastreams
    {
        get
        {
            List<int> datastreams = [], ends = [];
            var isFirst = true;
            var last = 0;
            for (var bundle = 0; bundle < _index.Bundles.Length; bundle++)
            {
                ReadRuns(bundle, datastreams, ends);
                foreach (var datastream in datastreams)
                {
                    if (isFirst || datastream != last)
                    {
                        yield return datastream;
                    }

                    (isFirst, last) = (false, datastream);
                }
            }
        }
    }

    /// <summary>The file.</summary>
    internal string Path => _path;

    /// <summary>Opens a part.</summary>
    /// <exception cref="InvalidDataException">The file is not a part, or its footer is damaged; the message names the file and what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PartReader Open(string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
        try
        {
            return new PartReader(path, file, PartFooterReader.Read(file));
        }
        catch (Exception error)
        {
            file.Dispose();
            if (error is InvalidDataException damage)
            {
                throw Damaged(path, damage);
            }

            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Whether the part may hold rows of a datastream with from &lt;= time &lt; to, in microseconds since 1970 UTC. Looks at the index only.</summary>
    public bool MayContain(int datastream, long from, long to)
    {
        var bundles = _index.Bundles;
        for (var i = _index.FirstBundle(datastream); i < bundles.Length && bundles[i].MinDatastream <= datastream; i++)
        {
            if (bundles[i].MaxMicros >= from && bundles[i].MinMicros < to)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the part holds rows of any of some datastreams, in bundles that reach into [from, to), microseconds since 1970 UTC. Reads the column of datastreams of bundles that may have one.</summary>
    /// <exception cref="InvalidDataException">A page is damaged.</exception>
    public bool ContainsAny(IReadOnlySet<int> datastreams, long from, long to)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        var sorted = datastreams.Order().ToArray();
        List<int> found = [], ends = [];
        for (var i = 0; i < _index.Bundles.Length; i++)
        {
            var bundle = _index.Bundles[i];
            var next = Array.BinarySearch(sorted, bundle.MinDatastream);
            next = next < 0 ? ~next : next;
            if (bundle.MaxMicros < from || bundle.MinMicros >= to || next == sorted.Length || sorted[next] > bundle.MaxDatastream)
            {
                continue;
            }

            ReadRuns(i, found, ends);
            if (found.Exists(datastreams.Contains))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Appends the rows of a datastream with from &lt;= time &lt; to, microseconds since 1970 UTC, in order of time; returns their number.</summary>
    /// <exception cref="InvalidDataException">A page is damaged; the message names file, page and what is wrong. Nothing was appended.</exception>
    public int Read(int datastream, long from, long to, ObservationColumns into)
    {
        ArgumentNullException.ThrowIfNull(into);
        var before = into.Count;
        var scratch = PartScratch.Spare.Rent();
        try
        {
            var bundles = _index.Bundles;
            for (var i = _index.FirstBundle(datastream); i < bundles.Length && bundles[i].MinDatastream <= datastream; i++)
            {
                if (bundles[i].MaxMicros >= from && bundles[i].MinMicros < to)
                {
                    Read(scratch, bundles[i], datastream, from, to, into);
                }
            }
        }
        catch (InvalidDataException error)
        {
            Truncate(into, before);
            throw Damaged(_path, error);
        }
        catch
        {
            Truncate(into, before);
            throw;
        }
        finally
        {
            PartScratch.Spare.Return(scratch);
        }

        return into.Count - before;
    }

    /// <summary>Appends all rows of the datastreams from one to another, those of one in order of time after those of the one before, and for each row its datastream.</summary>
    /// <param name="smallest">First datastream.</param>
    /// <param name="largest">Last datastream.</param>
    /// <param name="whole">Whether to append all of the bundles in which they are: cheaper than to come again when the next question is about a neighbour.</param>
    /// <param name="datastreams">Receives the datastream of each row.</param>
    /// <param name="into">Receives the rows.</param>
    /// <returns>The last datastream of which, from <paramref name="smallest"/> on, all rows were appended.</returns>
    /// <exception cref="InvalidDataException">A page is damaged; the message names file, page and what is wrong. What was appended is of no meaning.</exception>
    public int Read(int smallest, int largest, bool whole, List<int> datastreams, ObservationColumns into)
    {
        ArgumentNullException.ThrowIfNull(into);
        var last = largest;
        var scratch = PartScratch.Spare.Rent();
        try
        {
            var bundles = _index.Bundles;
            for (var i = _index.FirstBundle(smallest); i < bundles.Length && bundles[i].MinDatastream <= largest; i++)
            {
                var (start, end) = whole ? (0, bundles[i].Rows) : scratch.Find(_file, bundles[i], smallest, largest);
                last = !whole ? last : i + 1 < bundles.Length && bundles[i + 1].MinDatastream == bundles[i].MaxDatastream ? bundles[i].MaxDatastream - 1 : bundles[i].MaxDatastream;
                if (start < end)
                {
                    scratch.AppendDatastreams(_file, bundles[i], start, end, datastreams);
                    into.Micros.AddRange(scratch.Times(_file, bundles[i], start, end));
                    scratch.Append(_file, bundles[i], start, end, into);
                }
            }
        }
        catch (InvalidDataException error)
        {
            throw Damaged(_path, error);
        }
        finally
        {
            PartScratch.Spare.Return(scratch);
        }

        return Math.Max(last, largest);
    }

    /// <summary>Turns figures to this part. The reader has to stay open while they are asked.</summary>
    public void Begin(PartFigures figures) => figures.Begin(_path, _file, _index);

    /// <summary>All rows in order, one datastream of one bundle at a time. The reader has to outlive the cursor.</summary>
    public PartCursor ReadAll() => new(_path, _file, _index);

    /// <summary>Checks everything: each page's header, checksum and levels, the order of the rows, and footer and page index against the pages.</summary>
    /// <exception cref="InvalidDataException">The first thing found to be wrong, with file and page.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Verify(CancellationToken stop)
    {
        try
        {
            PartVerifier.Verify(_file, _index, stop);
        }
        catch (InvalidDataException error)
        {
            throw Damaged(_path, error);
        }
    }

    /// <summary>The same error with the file.</summary>
    internal static InvalidDataException Damaged(string path, InvalidDataException error) =>
        new($"The part {path} is damaged or not a part: {error.Message}. Restore it from a backup.", error) { Data = { [PathKey] = path } };

    private static void Truncate(ObservationColumns rows, int count)
    {
        CutOff(rows.Micros, count);
        CutOff(rows.Results, count);
        CutOff(rows.Qualities, count);
        CutOff(rows.Raws, count);
        CutOff(rows.Calibrations, count);
        CutOff(rows.Coverages, count);
        CutOff(rows.Revisions, count);
    }

    private static void CutOff<T>(List<T> list, int count)
    {
        if (list.Count > count)
        {
            list.RemoveRange(count, list.Count - count);
        }
    }

    private void Read(PartScratch scratch, in PartBundleBounds bundle, int datastream, long from, long to, ObservationColumns into)
    {
        var (start, end) = scratch.Find(_file, bundle, datastream);
        if (start == end)
        {
            return;
        }

        var times = scratch.Times(_file, bundle, start, end);
        var first = EventTime.FirstAt(times, from);
        var last = EventTime.FirstAt(times, to);
        if (first < last)
        {
            into.Micros.AddRange(times[first..last]);
            scratch.Append(_file, bundle, start + first, start + last, into);
        }
    }

    private void ReadRuns(int bundle, List<int> datastreams, List<int> ends)
    {
        var scratch = PartScratch.Spare.Rent();
        try
        {
            scratch.Runs(_file, _index.Bundles[bundle], datastreams, ends);
        }
        catch (InvalidDataException error)
        {
            throw Damaged(_path, error);
        }
        finally
        {
            PartScratch.Spare.Return(scratch);
        }
    }
}
