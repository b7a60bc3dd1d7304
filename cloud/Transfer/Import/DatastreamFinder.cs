using System.Globalization;
using System.Text;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer.Mapping;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Transfer.Import;

/// <summary>Finds the stations and datastreams that rows name, by the same way as readings that arrive; datastreams are made at their first value. A dry run makes none.</summary>
internal sealed class DatastreamFinder(IStations stations, bool dryRun)
{
    private readonly HashSet<int> _used = [];
    private readonly Dictionary<(int Station, string Sensor, string Quantity, int Period), int> _imagined = [];

    /// <summary>Datastreams found or made.</summary>
    public int Count => _used.Count;

    /// <summary>Finds what a series goes to; what is wrong with it is noted in the answer.</summary>
    public SeriesGroup Find(string key, MappedTarget target, MappingSource source, long clock)
    {
        var parts = key.Split(MappedTarget.Separator);
        if (parts.Length < 3 + (2 * target.Columns.Length))
        {
            return Wrong(key, clock, RefusalReason.Name, target.Mapping.Station, parts[0], "Station, sensor, quantity and unit together are too long to be names. Does a template name the wrong column?");
        }

        var named = source.Stations.GetValueOrDefault(parts[0], parts[0]);
        if (named.Split('/') is not [{ Length: > 0 } municipality, { Length: > 0 } slug] || !stations.TryGet(municipality, slug, out var station))
        {
            return Wrong(
                key, clock, RefusalReason.Station, target.Mapping.Station, named,
                Template.IsTemplate(target.Mapping.Station) && !named.Contains('/', StringComparison.Ordinal)
                    ? "Not municipality/station. Say under stations of the mapping which station this is."
                    : "There is no such station. Register it with hub station add, or give its station file with --create-stations.");
        }

        if (!ReadingRules.IsSensor(parts[1]))
        {
            return Wrong(key, clock, RefusalReason.Name, target.Mapping.Sensor, parts[1], "A sensor's name is 1 to 64 of a-z 0-9 -, the first one a letter or digit. Correct it, or give a fixed name in the mapping.");
        }

        if (!TryPeriod(parts[2], out var period))
        {
            return Wrong(key, clock, RefusalReason.FieldType, target.Mapping.Period ?? source.Period ?? "", parts[2], "The period must be whole seconds, from 0 to 366 days. Correct it, or give a fixed one in the mapping.");
        }

        return new SeriesGroup
        {
            Key = key,
            Previous = clock,
            Station = station.Id,
            Sensor = parts[1],
            Period = period,
            Slots = [.. target.Columns.Select((_, index) => Slot(parts[3 + (2 * index)], parts[4 + (2 * index)]))],
        };
    }

    /// <summary>Finds or makes the datastream of one column of a series.</summary>
    public async ValueTask FindAsync(SeriesGroup group, int slot, CancellationToken cancellationToken)
    {
        var found = group.Slots[slot];
        var (quantity, seconds) = (found.Quantity!, (int)group.Period.TotalSeconds);
        if (dryRun)
        {
            found.Datastream = Imagine(group, quantity, seconds);
        }
        else
        {
            try
            {
                found.Datastream = await stations.ResolveAsync(group.Station, group.Sensor, quantity, seconds, cancellationToken).ConfigureAwait(false);
            }
            catch (StationLimitException exception)
            {
                found.Problem = (RefusalReason.Station, $"{exception.Message} Raise it, or import fewer series.");
                return;
            }
            catch (Exception exception) when (exception is KeyNotFoundException or ArgumentException)
            {
                found.Problem = (RefusalReason.Station, exception.Message);
                return;
            }
        }

        _used.Add(found.Datastream);
    }

    private static SeriesGroup Wrong(string key, long clock, RefusalReason reason, string column, string value, string detail) =>
        new() { Key = key, Previous = clock, Problem = (reason, column, value, detail) };

    private static SeriesSlot Slot(string quantity, string unit)
    {
        var problem = UnitConversion.Problem(quantity, unit.Length == 0 ? null : unit, out var found, out var conversion);
        return new SeriesSlot
        {
            Quantity = found,
            Conversion = conversion,
            Problem = problem is null ? null : (found is null ? RefusalReason.UnknownQuantity : RefusalReason.Unit, char.ToUpperInvariant(problem[0]) + problem[1..]),
        };
    }

    private static bool TryPeriod(string text, out TimeSpan period)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            period = TimeSpan.FromSeconds(seconds);
        }
        else if (!MappingReader.TryPeriod(text, out period))
        {
            return false;
        }

        return period >= TimeSpan.Zero && period <= ReadingRules.PeriodMax && period.Ticks % TimeSpan.TicksPerSecond == 0;
    }

    private int Imagine(SeriesGroup group, Quantity quantity, int seconds)
    {
        if (stations.TryResolve(group.Station, Encoding.UTF8.GetBytes(group.Sensor), quantity, seconds, out var datastream))
        {
            return datastream;
        }

        var key = (group.Station, group.Sensor, quantity.Id, seconds);
        if (!_imagined.TryGetValue(key, out datastream))
        {
            datastream = int.MaxValue - _imagined.Count;
            _imagined.Add(key, datastream);
        }

        return datastream;
    }
}
