using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Api;

/// <summary>What a listener asked for: of which municipality and station (null: all), and observations as events of their own or many in one.</summary>
internal readonly record struct LiveWish(string? Municipality, string? Station, bool Batch)
{
    /// <summary>Whether a station is asked for.</summary>
    public bool Takes(string municipality, string station) => (Municipality is null || Municipality == municipality) && (Station is null || Station == station);
}

/// <summary>A frame as it is sent: how many events of each kind are in the bytes.</summary>
internal sealed record LiveBytes(ReadOnlyMemory<byte> Bytes, int Observations, int Alarms);

/// <summary>What changed between two edges in time, written once for all who ask for the same and see the same. Safe for concurrent callers.</summary>
/// <param name="from">Number of the last change before.</param>
/// <param name="to">Number of the last change in it.</param>
/// <param name="id">Identifier of its events.</param>
/// <param name="observations">The newest of each datastream, oldest change first.</param>
/// <param name="alarms">The newest of each alarm, oldest change first.</param>
internal sealed class LiveFrame((long Observations, long Alarms) from, (long Observations, long Alarms) to, string id, IReadOnlyList<Observation> observations, IReadOnlyList<Alarm> alarms)
{
    private readonly ConcurrentDictionary<LiveWish, Lazy<Task<LiveBytes>>> shared = new();

    public (long Observations, long Alarms) From => from;

    public (long Observations, long Alarms) To => to;

    public IReadOnlyList<Alarm> Alarms => alarms;

    /// <summary>The frame for somebody who is not signed in: all of them see the same.</summary>
    public Task<LiveBytes> PublicAsync(LiveWish wish, Func<LiveFrame, LiveWish, Task<LiveBytes>> write) =>
        shared.GetOrAdd(wish, key => new Lazy<Task<LiveBytes>>(() => write(this, key))).Value;

    /// <summary>Writes the frame.</summary>
    /// <param name="wish">What is asked for.</param>
    /// <param name="stations">Where datastreams belong.</param>
    /// <param name="maySee">Whether the listener may see a station.</param>
    /// <param name="seen">The alarms of it that the listener may see and asked for, as documents.</param>
    public LiveBytes Write<TAlarm>(LiveWish wish, IStations stations, Func<Station, bool> maySee, IReadOnlyList<TAlarm> seen)
    {
        var events = new ArrayBufferWriter<byte>(1024);
        var sent = 0;
        Utf8JsonWriter? rows = null;
        foreach (var observation in observations)
        {
            if (!stations.TryGetDatastream(observation.Datastream, out var datastream) || !wish.Takes(datastream.Station.Municipality, datastream.Station.Slug) || !maySee(datastream.Station))
            {
                continue;
            }

            sent++;
            if (!wish.Batch)
            {
                Put(events, "observation", Event(observation, datastream));
                continue;
            }

            if (rows is null)
            {
                Begin(events, "observations");
                rows = new Utf8JsonWriter(events, new JsonWriterOptions { SkipValidation = true });
                rows.WriteStartArray();
            }

            Row(rows, observation, datastream);
        }

        if (rows is not null)
        {
            rows.WriteEndArray();
            rows.Dispose();
            events.Write("\n\n"u8);
        }

        foreach (var alarm in seen)
        {
            Put(events, "alarm", alarm);
        }

        return new(events.WrittenMemory, sent, seen.Count);
    }

    private static LiveObservation Event(Observation o, Datastream d) => new(
        d.Id, d.Station.Municipality, d.Station.Slug, d.Sensor, d.Quantity.Id, d.Quantity.SenmlUnit, o.PhenomenonTime, o.Result, Words.Of(o.Quality));

    private static void Row(Utf8JsonWriter rows, Observation o, Datastream d)
    {
        rows.WriteStartArray();
        rows.WriteNumberValue(d.Id);
        rows.WriteStringValue(d.Station.Municipality + "/" + d.Station.Slug);
        rows.WriteStringValue(d.Quantity.Id);
        rows.WriteNumberValue(new DateTimeOffset(o.PhenomenonTime).ToUnixTimeMilliseconds());
        rows.WriteNumberValue(o.Result);
        var quality = Words.Of(o.Quality);
        if (quality.Count > 0)
        {
            rows.WriteStartArray();
            foreach (var word in quality)
            {
                rows.WriteStringValue(word);
            }

            rows.WriteEndArray();
        }

        rows.WriteEndArray();
    }

    private void Begin(ArrayBufferWriter<byte> events, string kind) => events.Write(Encoding.UTF8.GetBytes($"event: {kind}\nid: {id}\ndata: "));

    private void Put<T>(ArrayBufferWriter<byte> events, string kind, T data)
    {
        // JSON as it is written here has no line breaks, so one data line carries it.
        Begin(events, kind);
        events.Write(JsonSerializer.SerializeToUtf8Bytes(data, ApiGate.Json));
        events.Write("\n\n"u8);
    }
}
