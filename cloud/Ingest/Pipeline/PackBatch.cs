using System.Buffers;
using System.Runtime.CompilerServices;
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

/// <summary>
/// Packs of one station on their way together, one or many: what can be stored, what cannot, and what waits for its datastream. Their observations stand in one block, in order of
/// the packs, and are appended in one call; each pack has a receipt of its own. Used by one caller at a time; used again after <see cref="Clear"/>.
/// </summary>
internal sealed class PackBatch(IStations stations)
{
    /// <summary>Packs whose entries are kept for the next use.</summary>
    private const int EntriesKept = 64;

    /// <summary>Most observations and bytes of payloads whose memory is kept for the next use, 8 KiB and 4 KiB: what a connection mostly has on its way. More goes to whoever asks next.</summary>
    private const int ObservationsKept = 128;

    /// <inheritdoc cref="ObservationsKept"/>
    private const int PayloadBytesKept = 4 * 1024;

    private Entry[] _packs = new Entry[4];
    private Observation[] _observations = [];
    private byte[] _payloads = [];
    private int _payloadBytes;
    private List<Waiting>? _waiting;

    /// <summary>The station all packs are from.</summary>
    public Station Station { get; private set; } = null!;

    /// <summary>UTC instant of arrival of all packs.</summary>
    public DateTime ReceivedAt { get; private set; }

    /// <summary>Where they came in.</summary>
    public string Transport { get; private set; } = "";

    /// <summary>Packs in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Observations collected so far.</summary>
    public int ObservationCount { get; private set; }

    /// <summary>Observations to append, those of the first pack first; valid until cleared.</summary>
    public ReadOnlyMemory<Observation> Observations => _observations.AsMemory(0, ObservationCount);

    /// <summary>True while records wait for <see cref="ResolveAsync"/>.</summary>
    public bool HasWaiting => _waiting is not null;

    /// <summary>Records refused in all packs.</summary>
    public int RefusedCount { get; private set; }

    /// <summary>Bytes of memory that count as uncommitted while the batch is on its way: the packs as received and what was made of them.</summary>
    public long Bytes { get; set; }

    /// <summary>True when everything of it is on disk; set by whoever handed it over, under a lock of its own.</summary>
    public bool IsDone { get; set; }

    /// <summary>Bytes one observation takes in memory.</summary>
    public static int ObservationBytes => Unsafe.SizeOf<Observation>();

    /// <summary>Begins a batch that is empty.</summary>
    public void Begin(Station station, DateTime receivedAt, string transport) => (Station, ReceivedAt, Transport) = (station, receivedAt, transport);

    /// <summary>Begins a pack.</summary>
    /// <param name="tag">Whatever tells it from the others of the batch.</param>
    /// <param name="format">Encoding; null when unknown.</param>
    /// <param name="payload">The bytes; stay valid while the batch is on its way.</param>
    public void Add(ushort tag, PackFormat? format, ReadOnlyMemory<byte> payload)
    {
        if (Count == _packs.Length)
        {
            Array.Resize(ref _packs, Count * 2);
        }

        _packs[Count++] = new Entry { Tag = tag, Format = format, Payload = payload, PayloadStart = -1 };
    }

    /// <summary>Begins a pack whose bytes are copied: the caller's buffer is used again at once.</summary>
    public void AddCopy(ushort tag, PackFormat? format, ReadOnlySpan<byte> payload)
    {
        Add(tag, format, default);
        if (_payloadBytes + payload.Length > _payloads.Length)
        {
            _payloads = Enlarged(_payloads, _payloadBytes, Math.Max(1024, _payloadBytes + payload.Length));
        }

        payload.CopyTo(_payloads.AsSpan(_payloadBytes));
        ref var entry = ref _packs[Count - 1];
        (entry.PayloadStart, entry.PayloadLength) = (_payloadBytes, payload.Length);
        _payloadBytes += payload.Length;
    }

    /// <summary>What a pack was begun with.</summary>
    public ushort TagOf(int pack) => _packs[pack].Tag;

    /// <summary>Observations of a pack.</summary>
    public int ObservationCountOf(int pack) => _packs[pack].Observations;

    /// <summary>What became of a pack; valid once the batch is committed.</summary>
    public ref readonly PackReceipt ReceiptOf(int pack) => ref _packs[pack].Receipt;

    /// <summary>Sets what became of a pack.</summary>
    public void SetReceipt(int pack, in PackReceipt receipt) => _packs[pack].Receipt = receipt;

    /// <summary>Records of a pack refused, in order of being refused.</summary>
    public IReadOnlyList<RefusedRecord> RefusedOf(int pack) => _packs[pack].Refused ?? (IReadOnlyList<RefusedRecord>)[];

    /// <summary>A pack as it arrived; its bytes are valid until the batch is cleared.</summary>
    public ArrivedPack PackOf(int pack)
    {
        ref var entry = ref _packs[pack];
        return new ArrivedPack(Station, entry.Format, entry.PayloadStart < 0 ? entry.Payload : _payloads.AsMemory(entry.PayloadStart, entry.PayloadLength), ReceivedAt, Transport);
    }

    /// <summary>Takes one decoded record of the pack begun last.</summary>
    public void Take(int recordIndex, in WireReading reading)
    {
        if (!stations.TryResolve(Station.Id, reading.Sensor, reading.Quantity, reading.PeriodSeconds, out var datastream))
        {
            (_waiting ??= []).Add(new Waiting(Count - 1, ObservationCount, recordIndex, reading.ToReading(), reading.Quantity));
        }

        if (ObservationCount == _observations.Length)
        {
            _observations = Enlarged(_observations, ObservationCount, Math.Max(64, ObservationCount * 2));
        }

        _packs[Count - 1].Observations++;
        _observations[ObservationCount++] = new Observation(datastream, reading.PhenomenonTime, reading.Value, reading.Quality)
        {
            Raw = reading.Raw ?? double.NaN,
            Calibration = reading.Calibration,
            Coverage = reading.Coverage ?? double.NaN,
            Revision = reading.Revision,
        };
    }

    /// <summary>Takes what an adapter made of a foreign push into the pack begun last.</summary>
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
            Refuse(Count - 1, new RefusedRecord(refusal, kept, IsForeign: true));
        }
    }

    /// <summary>Notes a refusal in the pack begun last.</summary>
    public void Refuse(Refusal refusal, ReadOnlyMemory<byte> bytes) => Refuse(Count - 1, new RefusedRecord(refusal, bytes));

    /// <summary>Refuses a pack as a whole: nothing of it is taken, and what was refused of it before is part of that. Only while nothing waits for its datastream outside the pack begun last.</summary>
    public void RefuseWhole(int pack, Refusal refusal)
    {
        ref var entry = ref _packs[pack];
        var start = StartOf(pack);
        _observations.AsSpan((start + entry.Observations)..ObservationCount).CopyTo(_observations.AsSpan(start));
        ObservationCount -= entry.Observations;
        entry.Observations = 0;
        RefusedCount -= entry.Refused?.Count ?? 0;
        entry.Refused = null;
        if (_waiting?.RemoveAll(waiting => waiting.Pack == pack) > 0 && _waiting.Count == 0)
        {
            _waiting = null;
        }

        Refuse(pack, new RefusedRecord(refusal, default));
    }

    /// <summary>Position of a pack's first observation.</summary>
    public int StartOf(int pack)
    {
        var start = 0;
        for (var i = 0; i < pack; i++)
        {
            start += _packs[i].Observations;
        }

        return start;
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
                    datastream = await stations.ResolveAsync(Station.Id, record.Reading.Sensor, record.Quantity, record.PeriodSeconds, cancellationToken).ConfigureAwait(false);
                }
                catch (StationLimitException exception)
                {
                    limit = exception.Message;
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    if (stations.TryGet(Station.Municipality, Station.Slug, out _))
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
                stations.TryResolve(Station.Id, System.Text.Encoding.UTF8.GetBytes(record.Reading.Sensor), record.Quantity, record.PeriodSeconds, out datastream);
            }

            if (datastream > 0)
            {
                _observations[record.Position] = _observations[record.Position] with { Datastream = datastream };
            }
            else
            {
                var kept = Alone(record.Reading, _packs[record.Pack].Format ?? PackFormat.Json);
                Refuse(record.Pack, new RefusedRecord(new Refusal(record.RecordIndex, RefusalReason.Station, limit ?? "The datastream cannot be created."), kept));
            }
        }

        RemoveUnresolved();
    }

    /// <summary>Forgets everything, so that the batch can be used again. Only of a batch that the store has done with.</summary>
    public void Clear()
    {
        if (_observations.Length > ObservationsKept)
        {
            ArrayPool<Observation>.Shared.Return(_observations);
            _observations = [];
        }

        if (_payloads.Length > PayloadBytesKept)
        {
            ArrayPool<byte>.Shared.Return(_payloads);
            _payloads = [];
        }

        if (_packs.Length > EntriesKept)
        {
            _packs = new Entry[4];
        }
        else
        {
            _packs.AsSpan(0, Count).Clear();
        }

        (Count, ObservationCount, RefusedCount, _payloadBytes, Bytes, IsDone, _waiting) = (0, 0, 0, 0, 0, false, null);
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

    private void Refuse(int pack, in RefusedRecord refused)
    {
        (_packs[pack].Refused ??= []).Add(refused);
        RefusedCount++;
    }

    private void RemoveUnresolved()
    {
        var (kept, from) = (0, 0);
        for (var pack = 0; pack < Count; pack++)
        {
            var (before, end) = (kept, from + _packs[pack].Observations);
            for (; from < end; from++)
            {
                if (_observations[from].Datastream > 0)
                {
                    _observations[kept++] = _observations[from];
                }
            }

            _packs[pack].Observations = kept - before;
        }

        ObservationCount = kept;
    }

    private static T[] Enlarged<T>(T[] full, int used, int wanted)
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(wanted, used * 2));
        full.AsSpan(0, used).CopyTo(larger);
        if (full.Length > 0)
        {
            ArrayPool<T>.Shared.Return(full);
        }

        return larger;
    }

    private readonly record struct Waiting(int Pack, int Position, int RecordIndex, Reading Reading, Quantity Quantity)
    {
        public int PeriodSeconds => (int)(Reading.Period.Ticks / TimeSpan.TicksPerSecond);
    }

    private struct Entry
    {
        public ushort Tag;
        public PackFormat? Format;
        public int Observations;
        public int PayloadStart;
        public int PayloadLength;
        public ReadOnlyMemory<byte> Payload;
        public List<RefusedRecord>? Refused;
        public PackReceipt Receipt;
    }
}

/// <summary>Carries the decoder's calls to a <see cref="PackBatch"/>.</summary>
internal readonly struct PackSink(PackBatch batch) : IReadingSink
{
    public void OnReading(int recordIndex, in WireReading reading) => batch.Take(recordIndex, reading);

    public void OnRefused(Refusal refusal, ReadOnlySpan<byte> record) => batch.Refuse(refusal, refusal.RecordIndex < 0 ? default : record.ToArray());
}
