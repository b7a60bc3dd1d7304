using System.Buffers;
using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary>A record that cannot be taken, or the rest of a pack.</summary>
/// <param name="Refusal">Why.</param>
/// <param name="Bytes">What to keep: a pack of its own for a single record; empty for the whole pack.</param>
/// <param name="IsForeign">True when the bytes are an adapter's envelope and no pack.</param>
internal readonly record struct RefusedRecord(Refusal Refusal, ReadOnlyMemory<byte> Bytes, bool IsForeign = false);

/// <summary>One pack on its way: what can be stored, what cannot, and what waits for its datastream. Used by one caller at a time.</summary>
internal sealed class PackDraft(IStations stations, Station station, PackFormat format) : IDisposable
{
    private Observation[] _observations = [];
    private List<Waiting>? _waiting;
    private List<RefusedRecord>? _refused;

    /// <summary>Observations collected so far.</summary>
    public int Count { get; private set; }

    /// <summary>Observations to append; valid until disposed.</summary>
    public ReadOnlyMemory<Observation> Observations => _observations.AsMemory(0, Count);

    /// <summary>Records refused, in order of being refused.</summary>
    public IReadOnlyList<RefusedRecord> Refused => _refused ?? (IReadOnlyList<RefusedRecord>)[];

    /// <summary>True while records wait for <see cref="ResolveAsync"/>.</summary>
    public bool HasWaiting => _waiting is not null;

    /// <summary>Takes one decoded record.</summary>
    public void Take(int recordIndex, in WireReading reading)
    {
        if (!stations.TryResolve(station.Id, reading.Sensor, reading.Quantity, reading.PeriodSeconds, out var datastream))
        {
            (_waiting ??= []).Add(new Waiting(Count, recordIndex, reading.ToReading(), reading.Quantity));
        }

        if (Count == _observations.Length)
        {
            Grow();
        }

        _observations[Count++] = new Observation(datastream, reading.PhenomenonTime, reading.Value, reading.Quality)
        {
            Raw = reading.Raw ?? double.NaN,
            Calibration = reading.Calibration,
            Coverage = reading.Coverage ?? double.NaN,
            Revision = reading.Revision,
        };
    }

    /// <summary>Takes what an adapter made of a foreign push.</summary>
    public void Take(Translation translation)
    {
        foreach (var (index, reading) in translation.Readings)
        {
            if (QuantityCatalogue.TryGet(reading.Property, out var quantity))
            {
                Take(index, new WireReading
                {
                    Sensor = System.Text.Encoding.UTF8.GetBytes(reading.Sensor),
                    Quantity = quantity,
                    PhenomenonTime = reading.PhenomenonTime,
                    Value = reading.Value,
                    Quality = reading.Quality,
                    PeriodSeconds = (int)(reading.Period.Ticks / TimeSpan.TicksPerSecond),
                    Coverage = reading.Coverage,
                    Revision = reading.Revision,
                });
            }
        }

        foreach (var (refusal, kept) in translation.Refused)
        {
            (_refused ??= []).Add(new RefusedRecord(refusal, kept, IsForeign: true));
        }
    }

    /// <summary>Notes a refusal.</summary>
    public void Refuse(Refusal refusal, ReadOnlyMemory<byte> bytes) => (_refused ??= []).Add(new RefusedRecord(refusal, bytes));

    /// <summary>Forgets everything taken and refused.</summary>
    public void Clear()
    {
        Count = 0;
        _waiting = null;
        _refused = null;
    }

    /// <summary>Finds or creates the datastreams seen for the first time; records whose datastream cannot be created are refused.</summary>
    /// <exception cref="SeriesUnavailableException">The datastreams cannot be written now.</exception>
    public async ValueTask ResolveAsync(CancellationToken cancellationToken)
    {
        if (_waiting is not { } waiting)
        {
            return;
        }

        _waiting = null;
        var known = new Dictionary<(string Sensor, Quantity Quantity, int Period), int>();
        string? limit = null;
        foreach (var record in waiting)
        {
            var key = (record.Reading.Sensor, record.Quantity, record.PeriodSeconds);
            if (!known.TryGetValue(key, out var datastream) && limit is null)
            {
                try
                {
                    datastream = await stations.ResolveAsync(station.Id, record.Reading.Sensor, record.Quantity, record.PeriodSeconds, cancellationToken).ConfigureAwait(false);
                }
                catch (StationLimitException exception)
                {
                    limit = exception.Message;
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    if (stations.TryGet(station.Municipality, station.Slug, out _))
                    {
                        throw new SeriesUnavailableException("The datastreams of a station cannot be written now.", exception);
                    }

                    limit = "The station is not registered any more.";
                }

                known[key] = datastream;
            }
            else if (datastream == 0)
            {
                // The limit is reached; another sender may still have created this very datastream.
                stations.TryResolve(station.Id, System.Text.Encoding.UTF8.GetBytes(record.Reading.Sensor), record.Quantity, record.PeriodSeconds, out datastream);
            }

            if (datastream > 0)
            {
                _observations[record.Position] = _observations[record.Position] with { Datastream = datastream };
            }
            else
            {
                Refuse(new Refusal(record.RecordIndex, RefusalReason.Station, limit ?? "The datastream cannot be created."), Alone(record.Reading, format));
            }
        }

        RemoveUnresolved();
    }

    public void Dispose()
    {
        Count = 0;
        if (_observations.Length > 0)
        {
            ArrayPool<Observation>.Shared.Return(_observations);
            _observations = [];
        }
    }

    /// <summary>Leaves the array to the garbage collector: the store may still be reading it.</summary>
    public void Abandon()
    {
        Count = 0;
        _observations = [];
    }

    /// <summary>A pack of its own for one record; empty, meaning the whole pack, for one that the encoder is stricter about than the decoder.</summary>
    private static ReadOnlyMemory<byte> Alone(in Reading reading, PackFormat format)
    {
        var output = new ArrayBufferWriter<byte>(192);
        try
        {
            ReadingPack.Encode(output, format, [reading]);
        }
        catch (ArgumentException)
        {
            return default;
        }

        return output.WrittenMemory;
    }

    private void RemoveUnresolved()
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (_observations[i].Datastream > 0)
            {
                _observations[kept++] = _observations[i];
            }
        }

        Count = kept;
    }

    private void Grow()
    {
        var larger = ArrayPool<Observation>.Shared.Rent(Math.Max(64, Count * 2));
        _observations.AsSpan(0, Count).CopyTo(larger);
        if (_observations.Length > 0)
        {
            ArrayPool<Observation>.Shared.Return(_observations);
        }

        _observations = larger;
    }

    private readonly record struct Waiting(int Position, int RecordIndex, Reading Reading, Quantity Quantity)
    {
        public int PeriodSeconds => (int)(Reading.Period.Ticks / TimeSpan.TicksPerSecond);
    }
}

/// <summary>Carries the decoder's calls to a <see cref="PackDraft"/>.</summary>
internal readonly struct PackSink(PackDraft draft) : IReadingSink
{
    public void OnReading(int recordIndex, in WireReading reading) => draft.Take(recordIndex, reading);

    public void OnRefused(Refusal refusal, ReadOnlySpan<byte> record) => draft.Refuse(refusal, refusal.RecordIndex < 0 ? default : record.ToArray());
}
