using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sensors.Tests;

public sealed class OptionsTests
{
    public static TheoryData<string, string> Mistakes => new()
    {
        { "Agent:Sensors:0:Name=Luft", "Agent:Sensors:0:Name" },
        { "Agent:Sensors:0:Kind=camera", "Agent:Sensors:0:Kind" },
        { "Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:Simulated:Quantities:0=joy", "Agent:Sensors:0:Simulated:Quantities" },
        { "Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:Simulated:Interval=00:00:00.5", "Agent:Sensors:0:Simulated:Interval" },
        { "Agent:Sensors:0:Replay:Format=excel", "Agent:Sensors:0:Replay:Format" },
        { "Agent:Sensors:0:Replay:Format=csv", "Agent:Sensors:0:Replay:Csv" },
        { "Agent:Sensors:0:Replay:Format=opensensemap", "Agent:Sensors:0:Replay:Series" },
        { "Agent:Sensors:0:Replay:Format=noisemonitor", "Agent:Sensors:0:Replay:Period" },
        { "Agent:Sensors:0:Replay:File=nowhere.csv", "Agent:Sensors:0:Replay:File" },
        { "Agent:Sensors:0:Replay:Quantities:0=laeq", "Agent:Sensors:0:Replay:Quantities" },
        { "Agent:Sensors:0:Replay:Publisher=", "Agent:Sensors:0:Replay:Publisher" },
        { "Agent:Sensors:0:Replay:Period=00:00:00.5", "Agent:Sensors:0:Replay:Period" },
        { "Agent:Sensors:0:Replay:Cycle=12:00:00", "Agent:Sensors:0:Replay:Cycle" },
        { "Agent:Sensors:0:Replay:History=lots", "Agent:Sensors:0:Replay:History" },
        { "Agent:Sensors:0:Replay:Zone=Europe/Nowhere", "Agent:Sensors:0:Replay:Zone" },
        { "Agent:Sensors:0:Replay:AlignAt=yesterday", "Agent:Sensors:0:Replay:AlignAt" },
        { "Agent:Sensors:0:Replay:Align=instant", "Agent:Sensors:0:Replay:AlignAt" },
        { "Agent:Sensors:0:Kind=microphone", "Agent:Sensors:0:Microphone is missing" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Rate=48000", "Agent:Sensors:0:Microphone:Device" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Rate=22050", "Agent:Sensors:0:Microphone:Rate" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Channels=3", "Agent:Sensors:0:Microphone:Channels" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Channel=0", "Agent:Sensors:0:Microphone:Channel" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Channels=1|Agent:Sensors:0:Microphone:Channel=2", "Agent:Sensors:0:Microphone:Channel" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Sensitivity=26", "Agent:Sensors:0:Microphone:Sensitivity" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Sensitivity=NaN", "Agent:Sensors:0:Microphone:Sensitivity" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Floor=-1", "Agent:Sensors:0:Microphone:Floor" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Overload=20", "Agent:Sensors:0:Microphone:Overload" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Settle=00:00:00.1", "Agent:Sensors:0:Microphone:Settle" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Period=00:00:07", "Agent:Sensors:0:Microphone:Period" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Period=00:00:05", "Agent:Sensors:0:Microphone:Period" },
        { "Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1|Agent:Sensors:0:Microphone:Rate=44100|Agent:Sensors:0:Microphone:Bands=true", "Agent:Sensors:0:Microphone:Bands" },
        { "Agent:Sensors:1:Name=air|Agent:Sensors:1:Kind=simulated", "Agent:Sensors" },
        { "Agent:Replay:Anchor=", "Agent:Replay:Anchor" },
        { "Agent:Replay:History=-1.00:00:00", "Agent:Replay:History" },
        { "Agent:Replay:Zone=Nowhere", "Agent:Replay:Zone" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_refused_with_its_key(string changes, string key)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() => Sensors(changes));
        Assert.Contains(failure.Failures, message => message.StartsWith(key, StringComparison.Ordinal));
    }

    /// <summary>As a station file says it, lists within lists included.</summary>
    [Fact]
    public void Settings_of_devices_are_bound_from_the_station_file()
    {
        const string Cell = "Agent:Sensors:1:AlphasenseB4:Cells:0:";
        string factors = string.Concat(Enumerable.Range(0, 9).Select(place => $"|{Cell}Factors:{place}=1.{place}"));
        List<ISensor> sensors = Sensors(
            "Agent:Sensors:1:Name=gas|Agent:Sensors:1:Kind=alphasenseb4|Agent:Sensors:1:Bus:I2c=1|Agent:Sensors:1:AlphasenseB4:Thermistor:Channel=3|"
            + $"{Cell}Gas=no2|{Cell}WorkingElectronicZero=230|{Cell}AuxiliaryElectronicZero=232|{Cell}Sensitivity=0.25{factors}"
            + "|Agent:Sensors:2:Name=dust|Agent:Sensors:2:Kind=sds011|Agent:Sensors:2:Bus:Serial=/dev/serial0|Agent:Sensors:2:Every=00:05:00|Agent:Sensors:2:Sds011:Sleep=true"
            + "|Agent:Sensors:3:Name=co2|Agent:Sensors:3:Kind=scd41|Agent:Sensors:3:Bus:I2c=1|Agent:Sensors:3:Scd41:Altitude=190|Agent:Sensors:3:Scd41:AutomaticCalibration=false");
        Assert.Equal([("air", false), ("gas", false), ("dust", true), ("co2", false)], sensors.Select(sensor => (sensor.Name, sensor.IsOptical)));
        Assert.Equal(TimeSpan.FromMinutes(5), sensors[2].Cadence);
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() => Sensors(
            "Agent:Sensors:1:Name=dust|Agent:Sensors:1:Kind=sds011|Agent:Sensors:1:Bus:Serial=/dev/serial0|Agent:Sensors:1:Sds011:Sleep=true"));
        Assert.Contains("Agent:Sensors:1:Every", Assert.Single(failure.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Registering_twice_gives_each_sensor_once()
    {
        Assert.Equal(["air"], Sensors("").Select(sensor => sensor.Name));
    }

    [Fact]
    public void Factory_refuses_what_the_check_at_start_refuses()
    {
        SensorFactory factory = Demo.Factory(TimeProvider.System);
        Assert.Throws<OptionsValidationException>(() => factory.Create(new SensorOptions { Name = "a", Kind = "replay" }, new SensorsOptions()));
        Assert.Throws<OptionsValidationException>(() => factory.Create(Demo.Sensor(Demo.Options("citypulse", "AarhusTrafficData158595.csv.gz")), new SensorsOptions()));
        Assert.Equal("a", factory.Create(new SensorOptions { Name = "a", Kind = "simulated", Simulated = new SimulatedSensorOptions() }, new SensorsOptions()).Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("|Agent:Sensors:0:Microphone:Format=s24Packed|Agent:Sensors:0:Microphone:Rate=96000|Agent:Sensors:0:Microphone:Bands=true|Agent:Sensors:0:Microphone:Channels=1")]
    public void A_microphone_is_made_from_its_options_without_being_opened(string more) =>
        Assert.Equal(["air"], Sensors("Agent:Sensors:0:Kind=microphone|Agent:Sensors:0:Microphone:Device=hw:1" + more).Select(sensor => sensor.Name));

    [Fact]
    public void Command_line_all_goes_before_the_station_file_and_that_before_a_duration()
    {
        static TimeSpan? History(string? sensor, string? agent) => ReplayShift.History(new ReplaySensorOptions { History = sensor }, new ReplayOptions { History = agent });
        Assert.Equal(TimeSpan.FromDays(7), History(null, null));
        Assert.Equal(TimeSpan.FromDays(1), History(null, "1.00:00:00"));
        Assert.Equal(TimeSpan.FromHours(2), History("02:00:00", "1.00:00:00"));
        Assert.Null(History("02:00:00", "all"));
        Assert.Null(History("all", "1.00:00:00"));
    }

    private static List<ISensor> Sensors(string changes)
    {
        var values = new Dictionary<string, string?>
        {
            ["Agent:Replay:Anchor"] = "2026-11-22T15:04:05Z",
            ["Agent:Replay:Folder"] = Path.Combine(Demo.Folder, "stations", "braga"),
            ["Agent:Sensors:0:Name"] = "air",
            ["Agent:Sensors:0:Kind"] = "replay",
            ["Agent:Sensors:0:Replay:Format"] = "ostluft",
            ["Agent:Sensors:0:Replay:File"] = "../../data/Zch_Stampfenbachstrasse_min30_2017.csv.gz",
            ["Agent:Sensors:0:Replay:Publisher"] = "Ostluft",
            ["Agent:Sensors:0:Replay:Licence"] = "CC0 1.0",
        };
        foreach (string change in changes.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = change.Split('=', 2);
            values[parts[0]] = parts[1];
        }

        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        ServiceProvider provider = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddHubSensors(configuration)
            .AddHubSensors(configuration)
            .BuildServiceProvider();
        return [.. provider.GetServices<ISensor>()];
    }
}
