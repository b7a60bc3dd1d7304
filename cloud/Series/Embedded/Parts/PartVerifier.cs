using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>Reads a whole part and compares all it says twice: pages against checksums, index and footer; rows against their order.</summary>
internal static class PartVerifier
{
    private const int ConstantRowsAtOnce = 4096;

    public static void Verify(SafeFileHandle file, PartIndex index, CancellationToken stop)
    {
        var scratch = PartScratch.Spare.Rent();
        try
        {
            var order = new Order();
            var slice = new PartSlice();
            var next = 0;
            foreach (var group in index.Groups)
            {
                var totals = new Totals[PartFormat.ColumnCount];
                while (next < index.Bundles.Length && ReferenceEquals(index.Bundles[next].Group, group))
                {
                    stop.ThrowIfCancellationRequested();
                    order.Check(scratch, file, index.Bundles[next]);
                    foreach (var chunk in group.Chunks)
                    {
                        if (chunk.Kind == PartChunkKind.Paged)
                        {
                            scratch.Slice(file, index.Bundles[next], chunk.Column, 0, index.Bundles[next].Rows, slice);
                            totals[(int)chunk.Column].Add(slice, chunk.Column);
                            CheckPage(scratch, file, group, chunk, index.Bundles[next].Page);
                        }
                    }

                    next++;
                }

                foreach (var chunk in group.Chunks)
                {
                    CheckChunk(scratch, file, group, chunk, totals[(int)chunk.Column]);
                }
            }

            if (order.Datastreams != index.Summary.Datastreams)
            {
                throw new InvalidDataException($"its footer says {index.Summary.Datastreams} datastreams and {order.Datastreams} are there");
            }
        }
        finally
        {
            PartScratch.Spare.Return(scratch);
        }
    }

    private static void CheckChunk(PartScratch scratch, SafeFileHandle file, PartGroup group, PartChunk chunk, Totals totals)
    {
        if (chunk.Kind != PartChunkKind.Paged)
        {
            for (var page = 0; page < chunk.Pages; page++)
            {
                CheckConstant(scratch, file, group, chunk, page);
            }
        }
        else if (totals.Nulls != chunk.Nulls || (chunk.Min is { } min && min != totals.Min) || (chunk.Max is { } max && max != totals.Max))
        {
            throw new InvalidDataException($"row group {group.Ordinal}, column {PartFormat.Name(chunk.Column)}: the statistics in the footer are not those of the pages");
        }
    }

    /// <summary>A page of whole numbers has nothing behind its last value.</summary>
    private static void CheckPage(PartScratch scratch, SafeFileHandle file, PartGroup group, PartChunk chunk, int page)
    {
        if (PartFormat.TypeOf(chunk.Column) == PartType.Double)
        {
            return;
        }

        try
        {
            var loaded = scratch.Load(file, chunk, page);
            var count = chunk.RowsOf(page) - loaded.Nulls;
            var decoder = new DeltaDecoder(loaded.Values, loaded.ValueBytes, count);
            decoder.Skip(count);
            if (!decoder.IsAtEnd)
            {
                throw new InvalidDataException("something stands behind its values");
            }
        }
        catch (InvalidDataException error)
        {
            throw PartScratch.In(error, group, chunk, page);
        }
    }

    /// <summary>A page that no question reads, because the footer says what is in it.</summary>
    private static void CheckConstant(PartScratch scratch, SafeFileHandle file, PartGroup group, PartChunk chunk, int page)
    {
        try
        {
            var loaded = scratch.Load(file, chunk, page);
            var rows = chunk.RowsOf(page);
            var nulls = chunk.Kind == PartChunkKind.Empty ? rows : 0;
            var isDouble = PartFormat.TypeOf(chunk.Column) == PartType.Double;
            if (loaded.Nulls != nulls || (!loaded.Levels.IsEmpty && LevelRuns.Decode(loaded.Levels, new byte[rows]) != rows - nulls))
            {
                throw new InvalidDataException("its values are not what the footer says of all of them");
            }

            if (isDouble ? !IsConstant(loaded, chunk, rows - nulls) : !IsConstantInteger(loaded, chunk, rows - nulls))
            {
                throw new InvalidDataException("its values are not what the footer says of all of them");
            }
        }
        catch (InvalidDataException error)
        {
            throw PartScratch.In(error, group, chunk, page);
        }
    }

    private static bool IsConstant(PartScratch.Page page, PartChunk chunk, int count)
    {
        if (page.ValueBytes != count * sizeof(long))
        {
            return false;
        }

        for (var i = 0; i < count; i++)
        {
            for (var stream = 0; stream < sizeof(long); stream++)
            {
                var at = chunk.Encoding == PartEncoding.Plain ? (i * sizeof(long)) + stream : (stream * count) + i;
                if (page.Values[at] != (byte)(chunk.Min!.Value >> (8 * stream)))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool IsConstantInteger(PartScratch.Page page, PartChunk chunk, int count)
    {
        var decoder = new DeltaDecoder(page.Values, page.ValueBytes, count);
        Span<long> some = stackalloc long[ConstantRowsAtOnce];
        for (var left = count; left > 0;)
        {
            var taken = some[..Math.Min(left, some.Length)];
            decoder.Read(taken);
            if (taken.ContainsAnyExcept(chunk.Min!.Value))
            {
                return false;
            }

            left -= taken.Length;
        }

        return decoder.IsAtEnd;
    }

    /// <summary>The order of all rows, and the bounds of each page.</summary>
    private sealed class Order
    {
        private readonly List<int> _datastreams = [];
        private readonly List<int> _ends = [];
        private readonly ObservationColumns _rows = new();
        private long _lastMicros;
        private int _lastDatastream;

        public int Datastreams { get; private set; }

        public void Check(PartScratch scratch, SafeFileHandle file, in PartBundleBounds bundle)
        {
            scratch.Runs(file, bundle, _datastreams, _ends);
            var isContinued = Datastreams > 0 && _datastreams[0] == _lastDatastream;
            if (_datastreams[0] != bundle.MinDatastream || _datastreams[^1] != bundle.MaxDatastream || (Datastreams > 0 && !isContinued && _datastreams[0] < _lastDatastream))
            {
                throw Wrong(bundle, PartColumn.Datastream, "its datastreams are out of order or out of its bounds");
            }

            CheckDatastreamColumn(scratch, file, bundle);
            var times = scratch.Times(file, bundle, 0, bundle.Rows);
            var (min, max) = (long.MaxValue, long.MinValue);
            var start = 0;
            for (var run = 0; run < _ends.Count; run++)
            {
                var previous = run == 0 && isContinued ? _lastMicros : long.MinValue;
                foreach (var time in times[start.._ends[run]])
                {
                    if (time < previous)
                    {
                        throw Wrong(bundle, PartColumn.Time, $"the times of datastream {_datastreams[run]} do not ascend");
                    }

                    previous = time;
                    (min, max) = (Math.Min(min, time), Math.Max(max, time));
                }

                start = _ends[run];
            }

            if (min != bundle.MinMicros || max != bundle.MaxMicros)
            {
                throw Wrong(bundle, PartColumn.Time, "its times are not within its bounds");
            }

            Datastreams += _datastreams.Count - (isContinued ? 1 : 0);
            (_lastDatastream, _lastMicros) = (_datastreams[^1], times[^1]);

            // All rules of the values: a result in every row, decimals that are some.
            _rows.Clear();
            scratch.Append(file, bundle, 0, bundle.Rows, _rows);
        }

        private static void CheckDatastreamColumn(PartScratch scratch, SafeFileHandle file, in PartBundleBounds bundle)
        {
            if (bundle.MinDatastream != bundle.MaxDatastream)
            {
                return;
            }

            var slice = new PartSlice();
            scratch.Slice(file, bundle, PartColumn.Datastream, 0, bundle.Rows, slice);
            var wanted = bundle.MinDatastream;
            foreach (var value in slice.Values)
            {
                if ((int)value != wanted)
                {
                    throw Wrong(bundle, PartColumn.Datastream, "its datastreams are out of its bounds");
                }
            }
        }

        private static InvalidDataException Wrong(in PartBundleBounds bundle, PartColumn column, string what) =>
            PartScratch.In(new InvalidDataException(what), bundle.Group, bundle.Group.Chunks[(int)column], bundle.Page);
    }

    /// <summary>What the pages of a chunk hold together.</summary>
    private record struct Totals(long Nulls, long Values, long Min, long Max)
    {
        public void Add(PartSlice slice, PartColumn column)
        {
            var isNarrow = PartFormat.TypeOf(column) == PartType.Int32;
            foreach (var wide in slice.Values)
            {
                var value = isNarrow ? (int)wide : wide;
                Min = Values == 0 ? value : Math.Min(Min, value);
                Max = Values == 0 ? value : Math.Max(Max, value);
                Values++;
            }

            Nulls += slice.Rows - slice.Count;
        }
    }
}
