using System.Collections;
using Hub.Edge.Outbox;
using Hub.Edge.Uplink;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent.Tests;

public sealed class ConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _file;

    public ConfigurationTests()
    {
        _file = _folder.File("station.yaml");
        File.WriteAllText(_folder.File("secret"), "from-file\n");
        File.WriteAllText(_file, """
            municipality: braga
            station: avenida
            hub: { address: 127.0.0.2, port: 2000, secretFile: secret }
            uplink: { window: 2, packReadings: 20 }
            sensors:
              - { name: air, kind: simulated }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_command_line_goes_over_the_environment_over_the_file_over_defaults()
    {
        Assert.Equal(("127.0.0.2", 2000, 2, 20, 8 * 8), Read(new AgentArguments(), []));
        var environment = new Hashtable { ["HUB_AGENT_HUB"] = "127.0.0.3:3000", ["HUB_AGENT_Uplink__Window"] = "3", ["HUB_AGENT_uplink__packReadings"] = "30", ["PATH"] = "/" };
        Assert.Equal(("127.0.0.3", 3000, 3, 30, 8 * 8), Read(new AgentArguments(), environment));
        var arguments = new AgentArguments { Hub = "[::1]:4000", Settings = ["uplink.window=4"] };
        Assert.Equal(("::1", 4000, 4, 30, 8 * 8), Read(arguments, environment));

        (string, int, int, int, int) Read(AgentArguments given, Hashtable variables)
        {
            using var host = Host(given, variables);
            var hub = host.GetRequiredService<IOptions<HubOptions>>().Value;
            var uplink = host.GetRequiredService<IOptions<UplinkOptions>>().Value;
            Assert.Equal(("braga", "avenida"), (hub.Municipality, hub.Station));
            return (hub.Address, hub.Port, uplink.Window, uplink.PackReadings, new UplinkOptions().Window * 8);
        }
    }

    [Fact]
    public void Paths_of_the_file_start_at_the_file_and_the_data_folder_holds_the_outbox()
    {
        using (var host = Host(new AgentArguments(), []))
        {
            Assert.Equal(_folder.File("secret"), host.GetRequiredService<IOptions<HubOptions>>().Value.SecretFile);
            Assert.Equal(_folder.File("agent-data/outbox"), host.GetRequiredService<IOptions<OutboxOptions>>().Value.Folder);
        }

        File.AppendAllText(_file, "\noutbox: { folder: kept/here }\n");
        using (var host = Host(new AgentArguments(), []))
        {
            Assert.Equal(_folder.File("kept/here"), host.GetRequiredService<IOptions<OutboxOptions>>().Value.Folder);
        }

        using (var host = Host(new AgentArguments { Data = _folder.File("mine") }, []))
        {
            Assert.Equal(_folder.File("mine/outbox"), host.GetRequiredService<IOptions<OutboxOptions>>().Value.Folder);
        }

        using (var host = Host(new AgentArguments { Data = _folder.File("mine"), Settings = ["outbox.folder=" + _folder.File("apart")] }, []))
        {
            Assert.Equal(_folder.File("apart"), host.GetRequiredService<IOptions<OutboxOptions>>().Value.Folder);
        }
    }

    [Fact]
    public void A_secret_in_the_environment_goes_over_the_file_and_is_never_shown()
    {
        var configuration = AgentConfiguration.Build(new AgentArguments { StationFile = _file }, new Hashtable { ["HUB_AGENT_SECRET"] = "hunter2" }, _folder.Path);
        using var host = AgentHost.Build(configuration, TimeProvider.System);
        var hub = host.Services.GetRequiredService<IOptions<HubOptions>>().Value;
        Assert.Equal("hunter2", hub.Secret);
        Assert.True(string.IsNullOrEmpty(hub.SecretFile));

        var shown = EffectiveSettings.List(configuration);
        Assert.Contains("hub.secret = (hidden) (HUB_AGENT_SECRET)", shown);
        Assert.Contains("hub.port = 2000 (file)", shown);
        Assert.Contains("uplink.keepAlive = 00:01:00 (default)", shown);
        Assert.Contains("sensors[0].kind = simulated (file)", shown);
        Assert.DoesNotContain(shown, line => line.Contains("hunter2", StringComparison.Ordinal) || line.Contains("from-file", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hub:secret", true)]
    [InlineData("hub:Secret", true)]
    [InlineData("x:apiToken", true)]
    [InlineData("x:password", true)]
    [InlineData("hub:secretFile", false)]
    [InlineData("name", false)]
    public void Secrets_are_told_by_their_key(string key, bool secret) => Assert.Equal(secret, EffectiveSettings.IsSecret(key));

    [Fact]
    public void Unknown_variables_are_warned_of()
    {
        var configuration = AgentConfiguration.Build(new AgentArguments { StationFile = _file }, new Hashtable { ["HUB_AGENT_HUB__ADRESS"] = "x" }, _folder.Path);
        Assert.Equal(["The environment variable HUB_AGENT_HUB__ADRESS names no setting and is ignored."], configuration.Warnings);
    }

    [Theory]
    [InlineData("uplink.window=0", "Agent:Uplink:Window is 0; give 1 to 100.")]
    [InlineData("uplink.window=x", "--set: uplink.window: expected a whole number, found \"x\"")]
    [InlineData("uplink.windo=1", "--set uplink.windo=1: give key=value with a key of the station file, for instance uplink.window=4.")]
    [InlineData("nonsense", "--set nonsense: give key=value with a key of the station file, for instance uplink.window=4.")]
    [InlineData("hub.secret=x", "--set hub.secret: other users of the machine can read a command line; give --secret-file or HUB_AGENT_SECRET.")]
    [InlineData("hub.address=hub.example.pt", "Agent:Hub:Tls is off and Agent:Hub:Address 'hub.example.pt' is another machine; switch Tls on, or set Agent:Hub:PlainAllowed in a closed network.")]
    [InlineData("sensors[0].name=agent", "Agent:Sensors:0:Name is 'agent', the agent's own name; give another one.")]
    public void Wrong_settings_are_named(string setting, string message)
    {
        var mistake = Assert.Throws<ConfigurationException>(() => Host(new AgentArguments { Settings = [setting] }, []).Dispose());
        Assert.Equal(message, mistake.Messages[0][(mistake.Messages[0].StartsWith("station.yaml:", StringComparison.Ordinal) ? mistake.Messages[0].IndexOf(' ', StringComparison.Ordinal) + 1 : 0)..]);
    }

    [Fact]
    public void A_wrong_value_in_the_file_is_named_with_its_place()
    {
        File.AppendAllText(_file, "\nreport: { interval: 00:00:00.5 }\nlocation: { latitude: 91, longitude: 0 }\n");
        var mistake = Assert.Throws<ConfigurationException>(() => Host(new AgentArguments(), []).Dispose());
        Assert.Equal(
            [
                "station.yaml:8:23: Agent:Location:Latitude is 91; give -90 to 90 degrees.",
                "station.yaml:7:21: Agent:Report:Interval is 00:00:00.5000000; give 00:00:01 to 1.00:00:00, or 00:00:00 for no reports.",
            ],
            mistake.Messages);
    }

    [Fact]
    public void Cpu_temperature_is_the_processors_or_nothing()
    {
        Assert.Null(new CpuTemperature(_folder.File("none")).Read());
        Zone("thermal_zone0", "acpitz", "20000");
        Assert.Equal(20, new CpuTemperature(_folder.File("thermal")).Read());
        Zone("thermal_zone1", "cpu-thermal", "48312\n");
        Assert.Equal(48.312, new CpuTemperature(_folder.File("thermal")).Read());
        Zone("thermal_zone1", "cpu-thermal", "-999999");
        Assert.Null(new CpuTemperature(_folder.File("thermal")).Read());

        void Zone(string name, string type, string temperature)
        {
            var zone = Directory.CreateDirectory(Path.Combine(_folder.File("thermal"), name)).FullName;
            File.WriteAllText(Path.Combine(zone, "type"), type + "\n");
            File.WriteAllText(Path.Combine(zone, "temp"), temperature);
        }
    }

    private ServiceProvider Host(AgentArguments arguments, Hashtable environment)
    {
        var configuration = AgentConfiguration.Build(arguments with { StationFile = "station.yaml" }, environment, _folder.Path);
        return (ServiceProvider)AgentHost.Build(configuration, TimeProvider.System).Services;
    }
}
