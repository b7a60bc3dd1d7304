using System.Collections;
using Hub.Edge.Sensors;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent.Tests;

/// <summary>Every profile of firmware-config/stations passes what the agent itself demands.</summary>
public sealed class StationProfilesTests
{
    private static readonly Hashtable Secret = new() { ["HUB_AGENT_SECRET"] = "of a test" };

    public static TheoryData<string> Profiles => [.. Directory.GetFiles(Folder, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Repository.Root, "firmware-config", "stations");

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task It_is_good(string profile)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var code = await AgentCommands.InvokeAsync(["check", "--station-file", Path.Combine(Folder, profile + ".yaml")], Secret, output, error, TestContext.Current.CancellationToken);
        Assert.True(code == 0, error.ToString());
        Assert.DoesNotContain("warning", output.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_profiles_are_those_of_the_README() =>
        Assert.All(Profiles, profile => Assert.Contains($"]({profile.Data}.yaml)", File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal));

    [Fact]
    public void Every_kind_of_sensor_that_hangs_on_a_bus_can_be_made_from_some_profile_or_is_an_alternative()
    {
        // Instruments that do the work of another one of the profiles.
        string[] alternatives = ["replay", "simulated", "pms5003", "dnms", "tfluna", "hcsr04"];
        var used = Profiles.SelectMany(profile =>
        {
            var configuration = AgentConfiguration.Build(new AgentArguments { StationFile = Path.Combine(Folder, profile.Data + ".yaml") }, Secret, Folder);
            using var provider = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddHubSensors(configuration.Configuration).BuildServiceProvider();
            return provider.GetRequiredService<IOptions<SensorsOptions>>().Value.Sensors.Select(sensor => sensor.Kind).ToArray();
        });
        Assert.Equal(SensorFactory.Kinds.Order(), used.Concat(alternatives).Distinct().Order());
    }
}
