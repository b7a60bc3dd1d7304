using Hub.Edge.Contract.Twin;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Thresholds.Tests;

public sealed class OptionsTests
{
    private const string Good = "Rules:0:Slug=a|Rules:0:Property=pm10|Rules:0:SetLevel=50|Actions:0:Rule=a|Actions:0:Pin=17";

    public static TheoryData<string, string> Mistakes => new()
    {
        { "PendingGapMax=00:00:00", "Agent:Thresholds:PendingGapMax is" },
        { "WithoutHubAfter=2.00:00:00", "Agent:Thresholds:WithoutHubAfter is" },
        { "RetryDelayMin=00:00:00", "Agent:Thresholds:RetryDelayMin is" },
        { "RetryDelayMin=00:00:30|RetryDelayMax=00:00:10", "Agent:Thresholds:RetryDelayMax is" },
        { "Rules:0:SetLevel=", "Agent:Thresholds:Rules:0:SetLevel is missing" },
        { "Rules:0:Slug=A b", "Agent:Thresholds:Rules:0:Slug is 'A b'" },
        { "Rules:0:Property=joy", "Agent:Thresholds:Rules:0:Property is 'joy'" },
        { "Rules:0:ClearLevel=60", "Agent:Thresholds:Rules:0:ClearLevel is 60" },
        { "Rules:0:ForSeconds=-1", "Agent:Thresholds:Rules:0:ForSeconds is -1" },
        { "Rules:1:Slug=a|Rules:1:Property=pm10|Rules:1:SetLevel=5", "Agent:Thresholds:Rules:1:Slug is 'a' a second time" },
        { "Actions:0:Rule=", "Agent:Thresholds:Actions:0:Rule is" },
        { "Actions:0:Pin=", "Agent:Thresholds:Actions:0 has neither" },
        { "Actions:0:Pin=5000", "Agent:Thresholds:Actions:0:Pin is 5000" },
        { "Actions:0:Mqtt:Topic=t", "Agent:Thresholds:Actions:0 has both" },
        { "Actions:1:Rule=b|Actions:1:Pin=17", "Agent:Thresholds:Actions:1:Pin is 17, which" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a/#", "Agent:Thresholds:Actions:0:Mqtt:Topic is 'a/#'" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:Port=0", "Agent:Thresholds:Actions:0:Mqtt:Port is 0" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:Address=10.0.0.5", "Agent:Thresholds:Actions:0:Mqtt:Tls is off" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:CaFile=/no/such", "Agent:Thresholds:Actions:0:Mqtt:CaFile is given but" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:Tls=true|Actions:0:Mqtt:CaFile=/no/such", "Agent:Thresholds:Actions:0:Mqtt:CaFile '/no/such' does not exist" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:PasswordFile=/no/such", "Agent:Thresholds:Actions:0:Mqtt:PasswordFile is given without" },
        { "Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:UserName=u|Actions:0:Mqtt:PasswordFile=/no/such", "Agent:Thresholds:Actions:0:Mqtt:PasswordFile '/no/such' does not exist" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_refused_at_start_with_its_key(string changes, string expected)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() => Read(changes));
        Assert.Contains(failure.Failures, line => line.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_rule_of_the_station_file_is_one_of_the_hub()
    {
        ThresholdsOptions options = Read("Rules:0:Crossing=below|Rules:0:ForSeconds=600|Rules:0:Sensor=air|Rules:0:PeriodSeconds=60|Actions:0:ActiveLow=true|Actions:0:OnlyWithoutHub=true");
        Assert.Equal(new EdgeRule("a", "pm10", EdgeCrossing.Below, 50, 50, 600, "air", 60), options.Rules[0].ToRule());
        Assert.Equal((17, true, true), (options.Actions[0].Pin!.Value, options.Actions[0].ActiveLow, options.Actions[0].OnlyWithoutHub));
        Assert.Equal(("braga", "avenida"), (options.Municipality, options.Station));
    }

    [Fact]
    public void Another_machine_is_spoken_to_with_tls_or_where_that_is_asked_for()
    {
        Read("Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:Address=broker.lan|Actions:0:Mqtt:Tls=true");
        Read("Actions:0:Pin=|Actions:0:Mqtt:Topic=a|Actions:0:Mqtt:Address=broker.lan|Actions:0:Mqtt:PlainAllowed=true");
    }

    private static ThresholdsOptions Read(string changes)
    {
        Dictionary<string, string?> values = new() { ["Agent:Municipality"] = "braga", ["Agent:Station"] = "avenida" };
        foreach (string setting in $"{Good}|{changes}".Split('|'))
        {
            string[] parts = setting.Split('=', 2);
            values[$"Agent:Thresholds:{parts[0]}"] = parts[1].Length == 0 && parts[0] != "Actions:0:Rule" ? null : parts[1];
        }

        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        using ServiceProvider provider = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddHubThresholds(configuration, "none").AddHubThresholds(configuration, "none").BuildServiceProvider();
        return provider.GetRequiredService<IOptions<ThresholdsOptions>>().Value;
    }
}
