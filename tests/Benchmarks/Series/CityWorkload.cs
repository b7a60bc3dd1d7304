namespace Hub.Tests.Benchmarks.Series;

/// <summary>What one station says at one time: a reading of each of its five quantities.</summary>
/// <param name="Station">Number of the station, from 0.</param>
/// <param name="Seconds">Phenomenon time, seconds since 1970 UTC.</param>
/// <param name="Pm25">PM2.5, ug/m3, one decimal.</param>
/// <param name="No2">NO2, ug/m3, one decimal.</param>
/// <param name="LAeq">LAeq, dB, one decimal.</param>
/// <param name="Vehicles">Vehicles in the minute, whole.</param>
/// <param name="Temperature">Air temperature, degrees Celsius, one decimal.</param>
internal readonly record struct Visit(int Station, long Seconds, double Pm25, double No2, double LAeq, double Vehicles, double Temperature)
{
    /// <summary>The reading of a quantity, 0 to 4 in the order of the properties.</summary>
    public double this[int quantity] => quantity switch { 0 => Pm25, 1 => No2, 2 => LAeq, 3 => Vehicles, _ => Temperature };
}

/// <summary>
/// A city's readings, the same at every run: stations with five quantities each, once a minute, in the order in which they arrive. Each station has a fixed second of the minute.
/// A value is a level of the station, a daily curve with rush hours at 8 and 18 h, a first-order autoregressive part and the sensor's noise, rounded as sensors say it: PM2.5
/// (phi 0.98, innovations of 0.40, noise 0.20), NO2 (0.97, 0.80, 0.40), LAeq (0.70, 1.2 dB), vehicles (about Poisson, mean 1 to 60 by station), temperature (0.995, 0.04, 0.05).
/// Not safe for concurrent use.
/// </summary>
internal sealed class CityWorkload
{
    /// <summary>Quantities of a station.</summary>
    public const int Quantities = 5;

    private const int MinutesOfDay = 1440;
    private static readonly float[] Normals = MakeNormals();
    private static readonly float[] Rush = MakeCurve(minute => Bump(minute, 8 * 60) + Bump(minute, 18 * 60));
    private static readonly float[] Day = MakeCurve(minute => (float)Math.Sin((minute - (9 * 60)) * 2 * Math.PI / MinutesOfDay));

    private readonly Source[] _stations;
    private int _minute;
    private int _next;
    private ulong _random = 0x9E3779B97F4A7C15;

    /// <summary>Begins a workload.</summary>
    /// <param name="stations">Stations.</param>
    /// <param name="minutes">Readings of each series.</param>
    public CityWorkload(int stations, int minutes)
    {
        (Stations, Minutes) = (stations, minutes);
        _stations = new Source[stations];
        for (var station = 0; station < stations; station++)
        {
            _stations[station] = new Source(station, (int)(Next() % 60), Pm25: 6 + Unit() * 10, No2: 12 + Unit() * 20, LAeq: 52 + Unit() * 12, Vehicles: 1 + Unit() * 59, Temperature: 15 + Unit() * 4);
        }

        // Arrival: within a minute by the station's second.
        Array.Sort(_stations, static (a, b) => a.Second != b.Second ? a.Second.CompareTo(b.Second) : a.Station.CompareTo(b.Station));
    }

    /// <summary>First minute.</summary>
    public static DateTime Start { get; } = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Names of the quantities, in order.</summary>
    public static IReadOnlyList<string> Properties { get; } = ["pm2_5", "no2", "laeq", "vehicle_count", "temperature"];

    /// <summary>Stations.</summary>
    public int Stations { get; }

    /// <summary>Readings of each series.</summary>
    public int Minutes { get; }

    /// <summary>Readings in all.</summary>
    public long Readings => (long)Stations * Minutes * Quantities;

    /// <summary>Series in all.</summary>
    public int SeriesCount => Stations * Quantities;

    /// <summary>Behind the last minute.</summary>
    public DateTime End => Start.AddMinutes(Minutes);

    /// <summary>Number of a series, from 0: one quantity is contiguous.</summary>
    public int Series(int station, int quantity) => (quantity * Stations) + station;

    /// <summary>Name of a station.</summary>
    public static string StationName(int station) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"st{station:0000}");

    /// <summary>The next ones in order of arrival; how many, 0 at the end.</summary>
    public int Take(Span<Visit> visits)
    {
        for (var taken = 0; taken < visits.Length; taken++)
        {
            if (_next == _stations.Length)
            {
                (_next, _minute) = (0, _minute + 1);
            }

            if (_minute == Minutes)
            {
                return taken;
            }

            visits[taken] = Say(ref _stations[_next++]);
        }

        return visits.Length;
    }

    private Visit Say(ref Source source)
    {
        var minute = _minute % MinutesOfDay;
        var (rush, day) = (Rush[minute], Day[minute]);
        ulong first = Next(), second = Next(), third = Next();
        source.Pm25State = (0.98f * source.Pm25State) + (0.40f * Normal(first, 0));
        source.No2State = (0.97f * source.No2State) + (0.80f * Normal(first, 1));
        source.LAeqState = (0.70f * source.LAeqState) + (1.2f * Normal(first, 2));
        source.TemperatureState = (0.995f * source.TemperatureState) + (0.04f * Normal(first, 3));
        var vehicles = source.Vehicles * (0.4f + (0.6f * rush));
        return new Visit(
            source.Station,
            ((Start.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond) + (_minute * 60L) + source.Second,
            Tenths(Math.Max(0, source.Pm25 + (6 * rush) + source.Pm25State + (0.20f * Normal(second, 0)))),
            Tenths(Math.Max(0, source.No2 + (15 * rush) + source.No2State + (0.40f * Normal(second, 1)))),
            Tenths(source.LAeq + (8 * rush) + source.LAeqState),
            Math.Round(Math.Max(0, vehicles + (MathF.Sqrt(vehicles) * Normal(second, 2)))),
            Tenths(source.Temperature + (5 * day) + source.TemperatureState + (0.05f * Normal(third, 0))));
    }

    private static double Tenths(float value) => Math.Round(value * 10) / 10;

    private static float Normal(ulong random, int which) => Normals[(int)(random >> (16 * which)) & 0xFFFF];

    private float Unit() => (Next() >> 40) / (float)(1 << 24);

    /// <summary>Xorshift64*: the same on every machine.</summary>
    private ulong Next()
    {
        _random ^= _random >> 12;
        _random ^= _random << 25;
        _random ^= _random >> 27;
        return _random * 0x2545F4914F6CDD1D;
    }

    private static float[] MakeCurve(Func<int, float> of) => [.. Enumerable.Range(0, MinutesOfDay).Select(of)];

    private static float Bump(int minute, int at) => MathF.Exp(-0.5f * MathF.Pow((minute - at) / 75f, 2));

    /// <summary>65,536 values of the normal distribution, to be drawn by a random index: quicker than computing each.</summary>
    private static float[] MakeNormals()
    {
        // Box-Muller over a grid: pairs of a radius of equal probability and an angle in steps of the golden ratio.
        var normals = new float[0x10000];
        for (var i = 0; i < normals.Length; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log((i + 0.5) / normals.Length));
            normals[i] = (float)(radius * Math.Cos(2 * Math.PI * (i * 0.6180339887498949 % 1)));
        }

        return normals;
    }

    private record struct Source(int Station, int Second, float Pm25, float No2, float LAeq, float Vehicles, float Temperature)
    {
        public float Pm25State;
        public float No2State;
        public float LAeqState;
        public float TemperatureState;
    }
}
