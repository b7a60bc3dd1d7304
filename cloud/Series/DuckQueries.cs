using System.Globalization;
using System.Runtime.CompilerServices;
using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>Questions to the store. Ranges are read page by page, each page one short query, so a slow reader holds neither memory nor a place in the queue of queries.</summary>
internal sealed class DuckQueries(DuckDatabase database, int bucketsMax)
{
    /// <summary>Rows of the first page; later ones are <see cref="PageRows"/>: a question for a few rows stays cheap.</summary>
    private const int FirstPageRows = 4_096;

    private const int PageRows = 65_536;

    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = FirstPageRows;
        while (from < to)
        {
            var (start, limit) = (from, rows);
            var page = await database.QueryAsync(
                command =>
                {
                    command.CommandText = string.Create(
                        CultureInfo.InvariantCulture,
                        $"SELECT {DuckRows.Selected} FROM observation o WHERE {Within(datastream, start, to, Quality.Good)} ORDER BY o.\"time\" LIMIT {limit}");
                    return ReadAll(command, DuckRows.Read);
                },
                cancellationToken).ConfigureAwait(false);
            foreach (var observation in page)
            {
                yield return observation;
            }

            if (page.Count < limit)
            {
                yield break;
            }

            from = EventTime.Micros(page[^1].PhenomenonTime) + 1;
            rows = PageRows;
        }
    }

    public async ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var every = query.Every;
        if (every.Width < TimeSpan.FromMicroseconds(1) || every.Width.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentException("The width of a bucket is one microsecond or more, in whole microseconds.", nameof(query));
        }

        if (!Enum.IsDefined(query.Statistic))
        {
            throw new ArgumentException($"There is no statistic {(int)query.Statistic}.", nameof(query));
        }

        var from = EventTime.Bound(query.From, nameof(query));
        var to = EventTime.Bound(query.To, nameof(query));
        if (from >= to)
        {
            return [];
        }

        var buckets = every.Zone is { } zone
            ? await InZoneAsync(query, from, to, new BucketEdges(every.Width, zone), cancellationToken).ConfigureAwait(false)
            : await InUtcAsync(query, from, to, every.Width.Ticks / TimeSpan.TicksPerMicrosecond, cancellationToken).ConfigureAwait(false);
        return buckets.Count <= bucketsMax
            ? buckets
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The answer has more than {bucketsMax} buckets ({SeriesOptions.Section}:BucketsMax): ask for wider buckets or a shorter time."), nameof(query));
    }

    public async ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken)
    {
        var changes = await database.QueryAsync(
            command =>
            {
                command.CommandText = string.Create(
                    CultureInfo.InvariantCulture, $"SELECT datastream, epoch_us(min(\"time\")) FROM observation WHERE \"commit\" > {commit} GROUP BY datastream");
                return ReadAll(command, static reader => KeyValuePair.Create(reader.GetInt32(0), EventTime.Time(reader.GetInt64(1))));
            },
            cancellationToken).ConfigureAwait(false);
        return new Dictionary<int, DateTime>(changes);
    }

    public Task<List<Observation>> HistoryAsync(CancellationToken cancellationToken) => database.QueryAsync(
        command =>
        {
            command.CommandText = $"SELECT {DuckRows.Selected} FROM history o";
            return ReadAll(command, DuckRows.Read);
        },
        cancellationToken);

    /// <summary>
    /// Buckets aligned to the epoch, computed by the database. Sums are taken in order of time: rows lie in order of arrival, and a sum of doubles in another order would differ in its last bits.
    /// </summary>
    private Task<List<Bucket>> InUtcAsync(AggregateQuery query, long from, long to, long width, CancellationToken cancellationToken)
    {
        var (first, second) = query.Statistic switch
        {
            Statistic.Count => ("0::DOUBLE", "0::DOUBLE"),
            Statistic.Sum or Statistic.Mean => ("sum(o.result ORDER BY o.\"time\")", "0::DOUBLE"),
            Statistic.Min => ("min(o.result)", "0::DOUBLE"),
            Statistic.Max => ("max(o.result)", "0::DOUBLE"),
            Statistic.First => ("arg_min(o.result, o.\"time\")", "0::DOUBLE"),
            Statistic.Last => ("arg_max(o.result, o.\"time\")", "0::DOUBLE"),
            Statistic.EnergyMean => ("sum(pow(10, o.result / 10) ORDER BY o.\"time\")", "0::DOUBLE"),
            Statistic.CircularMean => ("sum(sin(radians(o.result)) ORDER BY o.\"time\")", "sum(cos(radians(o.result)) ORDER BY o.\"time\")"),
            _ => throw new ArgumentOutOfRangeException(nameof(query)),
        };
        var sql = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT epoch_us(o."time") - ((epoch_us(o."time") % {width} + {width}) % {width}) AS start, count(*), bit_or(o.quality), {first}, {second}
            FROM observation o WHERE {Within(query.Datastream, from, to, query.WithoutQuality)} GROUP BY start ORDER BY start LIMIT {(long)bucketsMax + 1}
            """);
        return database.QueryAsync(
            command =>
            {
                command.CommandText = sql;
                return ReadAll(command, reader =>
                {
                    var start = reader.GetInt64(0);
                    var sums = new Sums(reader.GetInt64(1), (Quality)reader.GetInt32(2), reader.GetDouble(3), reader.GetDouble(4));
                    return sums.ToBucket(query.Statistic, start, start + width);
                });
            },
            cancellationToken);
    }

    /// <summary>Buckets on the local clock, gathered here: the database has no time zones of its own.</summary>
    private async Task<List<Bucket>> InZoneAsync(AggregateQuery query, long from, long to, BucketEdges edges, CancellationToken cancellationToken)
    {
        var buckets = new List<Bucket>();
        var (start, end) = (0L, long.MinValue);
        var sums = default(Sums);
        while (buckets.Count <= bucketsMax)
        {
            var pageFrom = from;
            var page = await database.QueryAsync(
                command =>
                {
                    command.CommandText = string.Create(
                        CultureInfo.InvariantCulture,
                        $"SELECT epoch_us(o.\"time\"), o.result, o.quality FROM observation o WHERE {Within(query.Datastream, pageFrom, to, query.WithoutQuality)} ORDER BY o.\"time\" LIMIT {PageRows}");
                    return ReadAll(command, static reader => (Micros: reader.GetInt64(0), Result: reader.GetDouble(1), Quality: (Quality)reader.GetInt32(2)));
                },
                cancellationToken).ConfigureAwait(false);
            foreach (var (micros, result, quality) in page)
            {
                if (micros >= end)
                {
                    if (sums.Count > 0)
                    {
                        buckets.Add(sums.ToBucket(query.Statistic, start, end));
                    }

                    sums = default;
                    (start, end) = edges.Around(micros);
                }

                sums = sums.With(query.Statistic, result, quality);
            }

            if (page.Count < PageRows)
            {
                if (sums.Count > 0)
                {
                    buckets.Add(sums.ToBucket(query.Statistic, start, end));
                }

                return buckets;
            }

            from = page[^1].Micros + 1;
        }

        return buckets;
    }

    private static string Within(int datastream, long from, long to, Quality without) => string.Create(
        CultureInfo.InvariantCulture,
        $"o.datastream = {datastream} AND o.\"time\" >= {DuckRows.Instant(from)} AND o.\"time\" < {DuckRows.Instant(to)}{(without == Quality.Good ? "" : $" AND (o.quality & {(int)without}) = 0")}");

    private static List<T> ReadAll<T>(DuckDBCommand command, Func<DuckDBDataReader, T> read)
    {
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <summary>What a bucket gathers; what the two numbers mean depends on the statistic.</summary>
    private readonly record struct Sums(long Count, Quality Quality, double First, double Second)
    {
        public Sums With(Statistic statistic, double result, Quality quality)
        {
            var (first, second) = statistic switch
            {
                Statistic.Count => (0, 0),
                Statistic.Sum or Statistic.Mean => (First + result, 0),
                Statistic.Min => (Count == 0 ? result : Math.Min(First, result), 0),
                Statistic.Max => (Count == 0 ? result : Math.Max(First, result), 0),
                Statistic.First => (Count == 0 ? result : First, 0),
                Statistic.EnergyMean => (First + Math.Pow(10, result / 10), 0),
                Statistic.CircularMean => (First + Math.Sin(double.DegreesToRadians(result)), Second + Math.Cos(double.DegreesToRadians(result))),
                _ => (result, 0d),
            };
            return new Sums(Count + 1, Quality | quality, first, second);
        }

        public Bucket ToBucket(Statistic statistic, long start, long end)
        {
            var value = statistic switch
            {
                Statistic.Count => Count,
                Statistic.Mean => First / Count,
                Statistic.EnergyMean => 10 * Math.Log10(First / Count),
                Statistic.CircularMean => Direction(First / Count, Second / Count),

                // Which of -0 and +0 is met first depends on the order of arrival.
                Statistic.Min or Statistic.Max => First + 0.0,
                _ => First,
            };
            return new Bucket(EventTime.TimeClamped(start), EventTime.TimeClamped(end), value, Count, Quality);
        }

        private static double Direction(double east, double north)
        {
            // Shorter than this, what is left of the vector is rounding.
            if (double.Hypot(east, north) < 1e-9)
            {
                return double.NaN;
            }

            var degrees = double.RadiansToDegrees(Math.Atan2(east, north));
            degrees = degrees < 0 ? degrees + 360 : degrees;
            return degrees >= 360 ? 0 : degrees;
        }
    }
}
