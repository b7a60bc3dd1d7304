using System.Collections.ObjectModel;
using System.Text;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Stations;

/// <summary>The datastreams of one station: an immutable hash table with open addressing, searched by the bytes of the wire without allocating.</summary>
internal sealed class DatastreamTable
{
    private readonly Slot[] slots;
    private readonly Datastream[] ordered;

    private DatastreamTable(Datastream[] ordered)
    {
        this.ordered = ordered;
        Ordered = Array.AsReadOnly(ordered);

        // At most half full: a search ends at a free slot after few steps.
        var size = 4;
        while (size < ordered.Length * 2)
        {
            size *= 2;
        }

        slots = new Slot[size];
        foreach (var datastream in ordered)
        {
            var sensor = Encoding.UTF8.GetBytes(datastream.Sensor);
            var period = (int)datastream.Period.TotalSeconds;
            var hash = HashOf(sensor, datastream.Quantity, period);
            var at = hash & (size - 1);
            while (slots[at].Id != 0)
            {
                at = (at + 1) & (size - 1);
            }

            slots[at] = new Slot(hash, datastream.Id, period, datastream.Quantity.Id, sensor);
        }
    }

    public static DatastreamTable Empty { get; } = new([]);

    /// <summary>In order of sensor, quantity and period.</summary>
    public ReadOnlyCollection<Datastream> Ordered { get; }

    public int Count => ordered.Length;

    public static DatastreamTable Of(IEnumerable<Datastream> datastreams)
    {
        var ordered = datastreams.ToArray();
        Array.Sort(ordered, Compare);
        return new DatastreamTable(ordered);
    }

    public DatastreamTable With(Datastream added) => Of(ordered.Append(added));

    public DatastreamTable At(Station station) => Of(ordered.Select(d => d with { Station = station }));

    public bool TryFind(ReadOnlySpan<byte> sensor, Quantity quantity, int periodSeconds, out int datastream)
    {
        var hash = HashOf(sensor, quantity, periodSeconds);
        var at = hash & (slots.Length - 1);
        while (slots[at].Id != 0)
        {
            ref readonly var slot = ref slots[at];
            if (slot.Hash == hash && slot.PeriodSeconds == periodSeconds && slot.Property == quantity.Id && sensor.SequenceEqual(slot.Sensor))
            {
                datastream = slot.Id;
                return true;
            }

            at = (at + 1) & (slots.Length - 1);
        }

        datastream = 0;
        return false;
    }

    // Seeded anew in each process, so that nobody can choose names that collide.
    private static int HashOf(ReadOnlySpan<byte> sensor, Quantity quantity, int periodSeconds)
    {
        var hash = default(HashCode);
        hash.AddBytes(sensor);
        hash.Add(quantity.Id);
        hash.Add(periodSeconds);
        return hash.ToHashCode();
    }

    private static int Compare(Datastream a, Datastream b)
    {
        var order = string.CompareOrdinal(a.Sensor, b.Sensor);
        order = order != 0 ? order : string.CompareOrdinal(a.Quantity.Id, b.Quantity.Id);
        return order != 0 ? order : a.Period.CompareTo(b.Period);
    }

    private readonly record struct Slot(int Hash, int Id, int PeriodSeconds, string Property, byte[] Sensor);
}
