using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Hub.Edge.Sensors.Replay;

namespace Hub.Edge.Sensors.Simulated;

/// <summary>
/// Makes plausible values up: a pure function of seed, quantity and instant, so a restart or another machine gives the same. A value stands for the
/// interval that ends when it is delivered; intervals begin at whole multiples since year 1 in UTC. The cursor is the number of the next interval.
/// </summary>
internal sealed class SimulatedSensor(string name, SimulatedSensorOptions options, TimeProvider time) : ISensor
{
    private const int BatchCountMax = 400;
    private const int WanderHours = 24;

    // Memory of the wander from one hour to the next: half is forgotten in about four hours.
    private const double WanderKept = 0.85;

    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);
    private const byte CursorVersion = 2;
    private const int CursorBytes = 1 + sizeof(long);

    private static readonly string[] QuantitiesDefault = ["pm10", "pm2_5", "no2", "temperature", "relative_humidity"];

    private readonly string[] quantities = options.Quantities.Count == 0 ? QuantitiesDefault : [.. options.Quantities];
    private readonly TimeZoneInfo zone = ReplayZone.Find(options.Zone);

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public TimeSpan Cadence => options.Interval;

    /// <inheritdoc/>
    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long interval = options.Interval.Ticks;
        while (time.GetUtcNow().Year < 2000)
        {
            // The station's clock is not right yet: begun now, all intervals since 1970 would be made up once it is.
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken).ConfigureAwait(false);
        }

        long next = Next(cursor.Span, interval) ?? ((time.GetUtcNow().UtcTicks - options.History.Ticks) / interval);
        var batch = new List<Measurement>();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long now = time.GetUtcNow().UtcTicks;
            while (batch.Count < BatchCountMax && (next + 1) * interval <= now)
            {
                var start = new DateTime(next * interval, DateTimeKind.Utc);
                foreach (string quantity in quantities)
                {
                    batch.Add(new Measurement(quantity, Value(quantity, start), start) { Period = options.Interval });
                }

                next++;
            }

            if (batch.Count > 0)
            {
                var position = new byte[CursorBytes];
                position[0] = CursorVersion;
                BinaryPrimitives.WriteInt64LittleEndian(position.AsSpan(1), next * interval);
                yield return new MeasurementBatch(batch.ToArray(), position);
                batch.Clear();
                continue;
            }

            TimeSpan wait = new(Math.Min(((next + 1) * interval) - now, WaitMax.Ticks));
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// The interval to go on with, counted from year 1; null for none. A position is an instant, so that a sensor with another interval than before neither repeats nor jumps:
    /// version (1), ticks (8, little endian). Older ones are eight bytes that count intervals.
    /// </summary>
    private static long? Next(ReadOnlySpan<byte> cursor, long interval)
    {
        if (cursor.Length == CursorBytes && cursor[0] == CursorVersion)
        {
            return (long)Math.Ceiling((decimal)BinaryPrimitives.ReadInt64LittleEndian(cursor[1..]) / interval);
        }

        return cursor.Length == sizeof(long) && BinaryPrimitives.ReadInt64LittleEndian(cursor) is var count && (decimal)count * interval is var ticks
            && ticks > new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks && ticks < new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks ? count : null;
    }

    private double Value(string quantity, DateTime start)
    {
        SimulatedProfile profile = SimulatedProfile.All[quantity];
        double hour = TimeZoneInfo.ConvertTimeFromUtc(start, zone).TimeOfDay.TotalHours;
        double mean = profile.Level * (1 + (profile.Swing * Curve(profile.Curve, hour)) + (profile.Drift * Wander(profile.Group, start)));
        double grain = profile.Grain;
        if (profile.Count)
        {
            // Arrivals at random: the spread of a count is the root of its mean.
            mean = Math.Max(0, mean) * options.Interval.TotalHours;
            grain = Math.Sqrt(mean);
        }

        double value = Math.Clamp(mean + (grain * Normal(quantity, start.Ticks)), profile.Min, profile.Max);
        return Math.Round(Math.Round(value / profile.Step) * profile.Step, 4);
    }

    private static double Curve(SimulatedCurve curve, double hour) => curve switch
    {
        SimulatedCurve.Rush => (1.7 * Math.Max(Bump(hour, 8.5, 1.6), Math.Max(Bump(hour, 18, 2), 0.55 * Bump(hour, 13, 4)))) - 0.8,
        SimulatedCurve.Afternoon => Math.Cos((hour - 15) / 12 * Math.PI),
        _ => 0,
    };

    private static double Bump(double hour, double at, double width) => Math.Exp(-Math.Pow((hour - at) / width, 2) / 2);

    private double Wander(string group, DateTime at)
    {
        long hour = at.Ticks / TimeSpan.TicksPerHour;
        double part = (double)(at.Ticks % TimeSpan.TicksPerHour) / TimeSpan.TicksPerHour;
        return ((1 - part) * Knot(group, hour)) + (part * Knot(group, hour + 1));
    }

    // The AR(1) process written as the sum of its past shocks: no state, so no matter where one begins.
    private double Knot(string group, long hour)
    {
        double sum = 0;
        double weight = Math.Sqrt(1 - (WanderKept * WanderKept));
        for (int back = 0; back < WanderHours; back++)
        {
            sum += weight * Normal(group, hour - back);
            weight *= WanderKept;
        }

        return sum;
    }

    // A standard normal number from a hash of its name and place (Box-Muller).
    private double Normal(string stream, long place)
    {
        ulong state = (ulong)options.Seed * 0x9E3779B97F4A7C15;
        foreach (char character in stream)
        {
            state = Mix(state ^ character);
        }

        state = Mix(state ^ (ulong)place);
        double radius = ((state >> 11) + 1) / (double)(1UL << 53);
        double angle = (Mix(state) >> 11) / (double)(1UL << 53);
        return Math.Clamp(Math.Sqrt(-2 * Math.Log(radius)) * Math.Cos(2 * Math.PI * angle), -4, 4);
    }

    private static ulong Mix(ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }
}
