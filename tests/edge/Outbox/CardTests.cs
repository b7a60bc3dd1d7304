using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>Alone: the system counts the bytes of the whole process.</summary>
[CollectionDefinition(nameof(CardTests), DisableParallelization = true)]
public sealed class CardCollection;

/// <summary>What a station costs its SD card, by default: at most 64 bytes a reading, with a hub and without.</summary>
[Collection(nameof(CardTests))]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class CardTests(ITestOutputHelper output) : IDisposable
{
    private const int Hours = 6;
    private const double BytesPerReadingMax = 64;

    /// <summary>The readings by sensor, and every how many minutes, of two station profiles, one with everything and one with little: as their devices give them by default.</summary>
    private static readonly Dictionary<string, (string Sensor, string[] Properties, int Minutes)[]> Profiles = new()
    {
        ["full"] =
        [
            ("dust", ["pm1", "pm2_5", "pm4", "pm10", "particle_number"], 1),
            ("carbon-dioxide", ["co2", "temperature", "relative_humidity"], 1),
            ("weather", ["temperature", "pressure", "relative_humidity"], 1),
            ("rain", ["rain"], 1),
            ("wind", ["wind_speed", "wind_gust"], 1),
            ("sound", ["laeq", "lafmax", "lafmin", "la10", "la50", "la90", "lcpeak"], 1),
            ("radar-in", ["vehicle_count", "vehicle_count_unclassified", "mean_speed", "space_mean_speed", "v85", "occupancy", "headway"], 5),
            ("radar-out", ["vehicle_count", "vehicle_count_unclassified", "mean_speed", "space_mean_speed", "v85", "occupancy", "headway"], 5),
            ("supply", ["battery", "supply_current", "supply_power"], 1),
            ("board", ["undervoltage", "throttled", "disk_free", "link_quality"], 5),
            ("agent", ["uptime", "outbox_depth", "cpu_temperature", "clock_state", "clock_sync_age"], 1),
        ],
        ["traffic-loop"] =
        [
            ("loop", ["vehicle_count", "vehicle_count_short", "vehicle_count_medium", "vehicle_count_long", "mean_speed", "space_mean_speed", "v85", "occupancy", "headway"], 5),
            ("board", ["undervoltage", "throttled", "disk_free", "link_quality"], 5),
            ("agent", ["uptime", "outbox_depth", "cpu_temperature", "clock_state", "clock_sync_age"], 1),
        ],
    };

    private readonly TempFolder _folder = new();
    private readonly MemoryTemp _memory = new();
    private readonly FakeTimeProvider _time = new(Sample.Start);

    public void Dispose()
    {
        _folder.Dispose();
        _memory.Dispose();
    }

    [Theory]
    [InlineData("full", true)]
    [InlineData("full", false)]
    [InlineData("traffic-loop", true)]
    [InlineData("traffic-loop", false)]
    public async Task At_the_default_cadence_a_reading_costs_at_most_64_bytes_of_the_card(string profile, bool hub)
    {
        var random = new Random(20261126);
        var outbox = Files.OpenWithJournal(_folder.File("outbox"), _memory.Path, _time);
        var before = WrittenByProcess();
        long readings = 0;
        for (var minute = 1; minute <= Hours * 60; minute++)
        {
            // The clock of the test waits for the disk: on a station a write is over long before the next minute.
            _time.Advance(TimeSpan.FromMinutes(1));
            await Eventually.TrueAsync(() => !outbox.WriteIsDue, "what was gathered is on disk");

            foreach (var (sensor, properties, minutes) in Profiles[profile])
            {
                if (minute % minutes == 0)
                {
                    await outbox.AppendAsync(properties.Select(property => Taken(sensor, property, minutes, random)).ToArray(), null, CancellationToken.None);
                    readings += properties.Length;
                }
            }

            if (hub)
            {
                await outbox.ReleaseAsync(outbox.Head, outbox.Counters.Taken, 0, CancellationToken.None);
            }

            await Eventually.TrueAsync(() => outbox.Counters.Unwritten < 160, "many readings do not wait for the delay");
        }

        await outbox.DisposeAsync();
        var perReading = (double)outbox.DiskBytes / readings;
        var counted = (double)(WrittenByProcess() - before) / readings;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{profile} {(hub ? "with" : "without")} a hub: {readings} readings in {Hours} h, {perReading:0.0} bytes of the card each by our own writes, {counted:0.0} by /proc/self/io; {(double)Files.SegmentBytes(_folder.File("outbox")) / readings:0.0} in the files"));
        Assert.InRange(readings, profile == "full" ? 11_000 : 2_500, 13_000);
        Assert.InRange(perReading, 0.1, BytesPerReadingMax);
        Assert.InRange(counted, 0, BytesPerReadingMax);
    }

    /// <summary>A mean of many looks has all its digits, which nothing makes shorter. The supply is good: a board that says otherwise has everything written at once.</summary>
    private Reading Taken(string sensor, string property, int minutes, Random random) =>
        new(sensor, property, _time.GetUtcNow().UtcDateTime.AddMilliseconds(random.Next(1000)), property is "undervoltage" or "throttled" ? 0 : 10 + (random.NextDouble() * 50))
        {
            Period = sensor is "agent" ? TimeSpan.Zero : TimeSpan.FromMinutes(minutes),
            Coverage = sensor is "agent" ? null : random.Next(10) == 0 ? 29 / 30.0 : 1,
        };

    /// <summary>Bytes this process had written to a disk, as Linux counts them: pages made dirty.</summary>
    private static long WrittenByProcess() =>
        long.Parse(
            File.ReadAllLines("/proc/self/io").Single(line => line.StartsWith("write_bytes:", StringComparison.Ordinal))["write_bytes:".Length..], CultureInfo.InvariantCulture);
}
