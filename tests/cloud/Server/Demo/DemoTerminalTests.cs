using Hub.Cloud.Server.Demo;

namespace Hub.Cloud.Server.Tests.Demo;

public sealed class DemoTerminalTests
{
    [Fact]
    public void The_topics_told_are_ones_that_the_broker_grants_one_for_each_municipality()
    {
        var topics = DemoTerminal.AlarmTopics(["braga", "evora"]).ToArray();

        Assert.Equal(["hub/v1/braga/alarms/#", "hub/v1/evora/alarms/#"], topics);
    }
}
