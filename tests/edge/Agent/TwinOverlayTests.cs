using System.Collections;
using System.Text.Json;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>Settings of the hub, laid over the station file.</summary>
public sealed class TwinOverlayTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public TwinOverlayTests()
    {
        File.WriteAllText(_folder.File("secret"), "from-file\n");
        File.WriteAllText(_folder.File("station.yaml"), """
            municipality: braga
            station: avenida
            name: Avenida
            hub: { address: 127.0.0.1, port: 2000, secretFile: secret }
            uplink: { window: 2, packReadings: 20 }
            sensors:
              - { name: air, kind: simulated, simulated: { seed: 7, quantities: [pm10] } }
              - { name: noise, kind: simulated }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void They_go_over_the_file_under_environment_and_command_line_and_a_list_replaces_the_whole()
    {
        var configuration = Build(
            """{"uplink":{"window":3,"packReadings":30,"backlogReadingsPerSecond":5},"name":"Rotunda","sensors":[{"name":"air","kind":"simulated"}]}""",
            new AgentArguments { Settings = ["uplink.packReadings=40"] }, new Hashtable { ["HUB_AGENT_uplink__backlogReadingsPerSecond"] = "6" });
        var settings = configuration.Configuration;
        Assert.Equal(("3", "40", "6", "Rotunda"), (settings["Agent:Uplink:Window"], settings["Agent:Uplink:PackReadings"], settings["Agent:Uplink:BacklogReadingsPerSecond"], settings["Agent:Name"]));
        Assert.Null(settings["Agent:Sensors:1:Name"]);
        Assert.Null(settings["Agent:Sensors:0:Simulated:Seed"]);
        Assert.Contains("uplink.window = 3 (hub, version 7)", EffectiveSettings.List(configuration));
        Assert.Contains("uplink.packReadings = 40 (--set)", EffectiveSettings.List(configuration));

        Assert.Empty(Build("""{"sensors":[]}""").Configuration.GetSection("Agent:Sensors").GetChildren());
    }

    [Theory]
    [InlineData("""{"municipality":"porto"}""", "settings.municipality: is the station's own; the hub cannot set it")]
    [InlineData("""{"Station":"x"}""", "settings.Station: is the station's own; the hub cannot set it")]
    [InlineData("""{"data":"/tmp"}""", "settings.data: is the station's own; the hub cannot set it")]
    [InlineData("""{"update":{"enabled":true}}""", "settings.update: is the station's own; the hub cannot set it")]
    [InlineData("""{"hub":{"secret":"x"}}""", "settings.hub.secret: is a secret; the hub cannot set it here. A new one is given by the command rotate-credentials")]
    [InlineData("""{"hub":{"caFile":"x"}}""", "settings.hub.caFile: names a file or folder of the station; the hub cannot set it")]
    [InlineData("""{"outbox":{"folder":"/"}}""", "settings.outbox.folder: names a file or folder of the station; the hub cannot set it")]
    [InlineData("""{"sensors":[{"name":"a","kind":"replay","replay":{"file":"/etc/passwd"}}]}""", "settings.sensors[0].replay.file: names a file or folder of the station; the hub cannot set it")]
    [InlineData("""{"sensors":[{"name":"a","kind":"board","board":{"path":"/"}}]}""", "settings.sensors[0].board.path: names a file or folder of the station; the hub cannot set it")]
    [InlineData("""{"sensors":[{"name":"a","kind":"sds011","bus":{"serial":"/etc/passwd"}}]}""", "settings.sensors[0].bus.serial: give a serial port below /dev; the hub can set no other file")]
    [InlineData("""{"sensors":[{"name":"a","kind":"sds011","bus":{"serial":"/dev/../etc/passwd"}}]}""", "settings.sensors[0].bus.serial: give a serial port below /dev; the hub can set no other file")]
    [InlineData("""{"sensors":[{"name":"a","kind":"microphone","microphone":{"device":"tee:hw,'/tmp/heard',raw"}}]}""", "settings.sensors[0].microphone.device: give a sound card such as hw:1; the hub can set no other name of ALSA, which may stand for a file")]
    [InlineData("""{"uplink":{"windo":1}}""", "settings.uplink.windo: unknown key; did you mean \"window\"?")]
    [InlineData("""{"uplink":{"window":"4"}}""", "settings.uplink.window: expected a whole number, found \"4\"")]
    [InlineData("""{"uplink":{"keepAlive":60}}""", "settings.uplink.keepAlive: expected a duration such as 00:01:00 or 30.00:00:00, found 60")]
    [InlineData("""{"uplink":null}""", "settings.uplink: expected keys with values, found nothing")]
    [InlineData("""{"sensors":{}}""", "settings.sensors: expected a list, found keys with values")]
    [InlineData("""{"sensors":[{"kind":"simulated"}]}""", "settings.sensors[0].name: is missing")]
    [InlineData("""{"name":5}""", "settings.name: expected a text, found 5")]
    [InlineData("""{"name":"a","name":"b"}""", "settings.name: is given twice")]
    [InlineData("""{"hub:secret":"x"}""", "settings.hub:secret: unknown key")]
    public void What_no_hub_may_set_and_what_is_wrong_is_named(string settings, string mistake) =>
        Assert.StartsWith(mistake, Assert.Single(Assert.Throws<ConfigurationException>(() => Build(settings)).Messages), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"uplink":{"window":0}}""", "settings.uplink.window is 0; give 1 to 100.")]
    [InlineData("""{"sensors":[{"name":"air","kind":"sps31"}]}""", "settings.sensors[0].kind is 'sps31': give one of")]
    [InlineData("""{"sensors":[{"name":"agent","kind":"simulated"}]}""", "settings.sensors[0].name is 'agent', the agent's own name")]
    [InlineData("""{"logLevel":"loud"}""", "The log level 'loud' is not one of")]
    [InlineData("""{"identify":{"pin":5000}}""", "settings.identify.pin is 5000; give a GPIO line")]
    [InlineData("""{"hub":{"address":"hub.example.pt"}}""", "Agent:Hub:Tls is off and")]
    public void The_rules_of_the_station_file_hold_for_the_whole(string settings, string mistake)
    {
        using var run = Run();
        using var json = JsonDocument.Parse(settings);
        Assert.StartsWith(mistake.Replace("Agent:Hub:Tls", "settings.hub.tls", StringComparison.Ordinal), Assert.Single(run.Check(json.RootElement)), StringComparison.Ordinal);
        Assert.Empty(run.Check(null));
        Assert.False(Directory.Exists(_folder.File("agent-data")), "nothing is opened or made");
    }

    [Theory]
    [InlineData("uplink:window", ApplyParts.Uplink)]
    [InlineData("Hub:Port", ApplyParts.Uplink)]
    [InlineData("hub:address", ApplyParts.Rebuild)]
    [InlineData("hub:pages", ApplyParts.Rebuild)]
    [InlineData("sensors:0:simulated:interval", ApplyParts.Sampling | ApplyParts.Birth)]
    [InlineData("sampling:deadAfter", ApplyParts.Sampling)]
    [InlineData("replay:history", ApplyParts.Sampling)]
    [InlineData("report:interval", ApplyParts.Report)]
    [InlineData("report:statusInterval", ApplyParts.Rebuild)]
    [InlineData("logLevel", ApplyParts.Log)]
    [InlineData("location:latitude", ApplyParts.Birth)]
    [InlineData("outbox:ageMax", ApplyParts.Rebuild)]
    [InlineData("clock:trust", ApplyParts.Rebuild)]
    [InlineData("a:key:of:the:future", ApplyParts.Rebuild)]
    internal void Each_key_takes_what_it_needs(string key, ApplyParts parts) => Assert.Equal(parts, ApplyPlan.Of(key));

    [Fact]
    public void Only_what_differs_takes_anything()
    {
        var alone = AgentConfiguration.Build(new AgentArguments { StationFile = _folder.File("station.yaml") }, new Hashtable(), _folder.Path);
        Assert.Equal(ApplyParts.None, ApplyPlan.Of(alone, Build("""{"uplink":{"window":2},"name":"Avenida"}""")));
        Assert.Equal(ApplyParts.Uplink | ApplyParts.Birth, ApplyPlan.Of(alone, Build("""{"uplink":{"window":3},"name":"Rotunda"}""")));
        Assert.Equal(ApplyParts.Sampling | ApplyParts.Birth, ApplyPlan.Of(alone, Build("""{"sensors":[]}""")));
        Assert.Equal(ApplyParts.Rebuild, ApplyPlan.Of(Build("""{"outbox":{"ageMax":"1.00:00:00"}}"""), alone));
    }

    [Fact]
    public void Every_key_that_names_a_file_or_holds_a_secret_is_marked_in_the_schema()
    {
        string[] files = ["file", "files", "folder", "path", "directory", "root", "keyfiles"];
        var seen = new List<string>();
        Visit(StationSchema.Root, "");
        Assert.Contains(":hub:secret", seen);
        Assert.Contains(":hub:caFile", seen);

        void Visit(JsonElement schema, string key)
        {
            switch (StationSchema.TypeOf(schema))
            {
                case "object":
                    foreach (var property in schema.GetProperty("properties").EnumerateObject())
                    {
                        Visit(property.Value, $"{key}:{property.Name}");
                    }

                    break;
                case "array":
                    Visit(schema.GetProperty("items"), key);
                    break;
                case "string":
                    seen.Add(key);
                    var name = key[(key.LastIndexOf(':') + 1)..];
                    Assert.True(!files.Any(word => name.EndsWith(word, StringComparison.OrdinalIgnoreCase)) || StationSchema.NamesFile(schema), $"{key} names a file: mark it with [DataType(\"path\")].");
                    Assert.True(EffectiveSettings.IsSecretByName(key) == StationSchema.IsSecret(schema), $"{key} is a secret: mark it with [DataType(DataType.Password)], and end its name in secret, password or token.");
                    break;
            }
        }
    }

    [Fact]
    public void The_last_lines_of_the_log_are_kept_and_bounded_and_say_no_secret()
    {
        using var run = Run();
        var logger = run.Lines.CreateLogger("Hub.Edge.Test");
        for (var i = 0; i < 2 * LogRing.LinesMax; i++)
        {
            Say(logger, $"line {i} of many");
        }

        var lines = run.Lines.Last(5000);
        Assert.Equal(LogRing.LinesMax, lines.Count);
        Assert.EndsWith("information Hub.Edge.Test: line 1999 of many", lines[^1], StringComparison.Ordinal);
        Say(logger, new string('x', 10_000));
        Assert.Equal(LogRing.LineCharactersMax, run.Lines.Last(1)[0].Length);
        for (var i = 0; i < 200; i++)
        {
            Say(logger, new string('x', 10_000));
        }

        Assert.InRange(run.Lines.Last(5000).Sum(line => line.Length), LogRing.CharactersMax / 2, LogRing.CharactersMax);

        var configuration = AgentConfiguration.Build(new AgentArguments { StationFile = _folder.File("station.yaml") }, new Hashtable { ["HUB_AGENT_SECRET"] = "of-the-environment" }, _folder.Path);
        Directory.CreateDirectory(_folder.File("agent-data/credentials"));
        File.WriteAllText(_folder.File("agent-data/credentials/secret"), "given-by-the-hub\n");
        Assert.Equal(["of-the-environment", "given-by-the-hub"], Secrets.Of(configuration));
        Assert.Equal(["given-by-the-hub", "from-file"], Secrets.Of(AgentConfiguration.Build(new AgentArguments { StationFile = _folder.File("station.yaml") }, new Hashtable(), _folder.Path)));

        static void Say(Microsoft.Extensions.Logging.ILogger logger, string text) =>
            logger.Log(Microsoft.Extensions.Logging.LogLevel.Information, default, text, null, (state, _) => state);
    }

    private AgentRun Run() => new(new AgentArguments { StationFile = _folder.File("station.yaml") }, new Hashtable(), _folder.Path, TimeProvider.System, isSupervised: false);

    private AgentConfiguration Build(string settings, AgentArguments? arguments = null, Hashtable? environment = null)
    {
        using var json = JsonDocument.Parse(settings);
        return AgentConfiguration.Build(
            (arguments ?? new AgentArguments()) with { StationFile = _folder.File("station.yaml") }, environment ?? [], _folder.Path, TwinOverlay.Read(json.RootElement, 7));
    }
}
