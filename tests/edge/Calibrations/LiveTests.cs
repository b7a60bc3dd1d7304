using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Calibrations.Tests;

public sealed class LiveTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(Sample.Noon));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_recorded_goes_over_the_station_file_and_only_where_it_fits()
    {
        var sensors = new SensorsOptions
        {
            Sensors =
            {
                new SensorOptions { Name = "gas", Kind = "alphasenseb4", Calibrations = { new CalibrationOptions { Quantity = "no2", Gain = 9, Version = 1 }, new CalibrationOptions { Quantity = "co", Gain = 3, Version = 2 } } },
                new SensorOptions { Name = "mic", Kind = "microphone", Microphone = new MicrophoneSensorOptions { Device = "hw:1" } },
                new SensorOptions { Name = "dust", Kind = "sps30" },
            },
        };
        CalibrationEntries entries = new(
            [Sample.Record(2, 1.2), Sample.Record(3, 1.3, -2), Sample.Acoustic(1, 1.5), Sample.Record(1, 1.1, 0, "dust", "pm10", kind: "sds011"), Sample.Record(1, 2, 0, "gone", "pm10")], [], new Dictionary<(string, string), int>());
        CalibrationBook book = CalibrationBook.Of(sensors, new CalibrationsOptions(), entries);

        Assert.True(book.TryGet("gas", "no2", out AppliedCalibration no2));
        Assert.Equal(new AppliedCalibration(1.3, -2, 3, Sample.Noon.AddDays(91)), no2);
        Assert.True(book.TryGet("gas", "co", out AppliedCalibration co));
        Assert.Equal((3, null), (co.Gain, co.DueAt));
        Assert.All(new[] { "laeq", "lafmax", "la90", "lcpeak", "lzeq_31_5" }, level =>
        {
            Assert.True(book.TryGet("mic", level, out AppliedCalibration sound));
            Assert.Equal((1.0, 1.5, 1, Sample.Noon.AddDays(365)), (sound.Gain, sound.Offset, sound.Version, sound.DueAt!.Value));
        });
        Assert.False(book.TryGet("mic", "link_quality", out _));
        Assert.False(book.TryGet("dust", "pm10", out _));
        Assert.Contains("of a sds011", Assert.Single(book.Unused).Why, StringComparison.Ordinal);

        sensors.Sensors[1].Microphone!.Sensitivity = -30;
        book = CalibrationBook.Of(sensors, new CalibrationsOptions(), entries);
        Assert.False(book.TryGet("mic", "laeq", out _));
        Assert.Contains("sensitivity", book.Unused[0].Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alphasenseb4", null, null, 91.0)]
    [InlineData("microphone", null, null, 365.0)]
    [InlineData("simulated", null, null, null)]
    [InlineData("alphasenseb4", 30.0, null, 30.0)]
    [InlineData("alphasenseb4", 30.0, 7.0, 7.0)]
    [InlineData("alphasenseb4", 30.0, 0.0, null)]
    [InlineData("alphasenseb4", 0.0, null, null)]
    public void The_sensors_interval_goes_before_the_stations_and_that_before_the_kinds(string kind, double? station, double? sensor, double? expected)
    {
        static TimeSpan? Days(double? days) => days is { } value ? TimeSpan.FromDays(value) : null;
        Assert.Equal(Days(expected), CalibrationIntervals.Of(new SensorOptions { Name = "a", Kind = kind, CalibrationDue = Days(sensor) }, new CalibrationsOptions { DueAfter = Days(station) }));
    }

    [Fact]
    public async Task A_running_agent_finds_what_is_recorded_meanwhile_and_keeps_it_when_the_folder_is_gone()
    {
        await using ServiceProvider provider = Build("Agent:Sensors:0:Name=gas|Agent:Sensors:0:Kind=alphasenseb4");
        ICalibrations calibrations = provider.GetRequiredService<ICalibrations>();
        IHostedService service = Assert.Single(provider.GetServices<IHostedService>());
        await service.StartAsync(TestContext.Current.CancellationToken);
        Assert.False(calibrations.TryGet("gas", "no2", out _));
        var journal = new CalibrationJournal(folder.File("calibrations"));
        foreach (int version in (int[])[1, 2])
        {
            journal.Append(Sample.Record(version, 1 + version));
            await Eventually.TrueAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(10));
                    return calibrations.TryGet("gas", "no2", out AppliedCalibration found) && found.Version == version && found.Gain == 1 + version;
                },
                $"calibration {version} is in force");
        }

        await service.StopAsync(TestContext.Current.CancellationToken);
        File.WriteAllText(Path.Combine(journal.Folder, "gas.no2.0003.calibration"), "damaged");
        provider.GetRequiredService<LiveCalibrations>().Look();
        Assert.True(calibrations.TryGet("gas", "no2", out AppliedCalibration last));
        Assert.Equal(2, last.Version);
    }

    [Fact]
    public void A_microphones_limits_stay_true_levels()
    {
        new CalibrationJournal(folder.File("calibrations")).Append(Sample.Acoustic(1, 2));
        const string Microphone = "Agent:Sensors:0:Name=mic|Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Floor=30|Agent:Sensors:0:Microphone:Overload=116";
        using ServiceProvider provider = Build(Microphone);
        MicrophoneSensorOptions microphone = provider.GetRequiredService<IOptions<SensorsOptions>>().Value.Sensors[0].Microphone!;

        // What is raw 28 dB is truly 30.
        Assert.Equal((28.0, 114.0, -26.0), (microphone.Floor, microphone.Overload, microphone.Sensitivity));
        using ServiceProvider other = Build(Microphone + "|Agent:Sensors:0:Microphone:Sensitivity=-30");
        Assert.Equal(30, other.GetRequiredService<IOptions<SensorsOptions>>().Value.Sensors[0].Microphone!.Floor);
    }

    [Theory]
    [InlineData("Agent:Calibrations:DueAfter=-00:00:01", "Agent:Calibrations:DueAfter")]
    [InlineData("Agent:Calibrations:LookInterval=00:00:00", "Agent:Calibrations:LookInterval")]
    [InlineData("Agent:Sensors:0:Name=a|Agent:Sensors:0:CalibrationDue=4000.00:00:00", "Agent:Sensors:0:CalibrationDue")]
    public void Each_mistake_is_refused_at_start_with_its_key(string settings, string key)
    {
        using ServiceProvider provider = Build(settings);
        Exception failure = Assert.ThrowsAny<Exception>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(key, failure.ToString(), StringComparison.Ordinal);
    }

    private ServiceProvider Build(string settings)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Split('|').Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]))).Build();
        IServiceCollection services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(time);
        services.AddOptions<SensorsOptions>().Bind(configuration.GetSection(SensorsOptions.Section)).ValidateOnStart();
        return services.AddHubCalibrations(configuration, folder.File("calibrations")).AddHubCalibrations(configuration, folder.File("other")).BuildServiceProvider();
    }
}
