using CsCheck;
using Hub.Cloud.Ingest.Mqtt;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

public sealed class BrokerRulesTests
{
    [Theory]
    [InlineData("hub/v1/braga/air-1/readings", "Readings")]
    [InlineData("hub/v1/braga/air-1/status", "State")]
    [InlineData("hub/v1/braga/air-1/config/reported", "State")]
    [InlineData("hub/v1/braga/air-1/reply", "Reply")]
    [InlineData("hub/v1/braga/air-2/reply", "Refused")]
    [InlineData("hub/v1/braga/air-1/config/desired", "Refused")]
    [InlineData("hub/v1/braga/air-1/command/x", "Refused")]
    [InlineData("hub/v1/braga/air-12/readings", "Refused")]
    [InlineData("hub/v1/braga/alarms/x/air-1", "Refused")]
    [InlineData("hub/v2/braga/air-1/readings", "Refused")]
    [InlineData("", "Refused")]
    public void A_station_publishes_only_its_own(string topic, string right) => Assert.Equal(right, BrokerRules.Publish("braga", "air-1", topic).ToString());

    /// <summary>Whatever filter is granted, no topic outside the allowed one matches it: checked against the plain definition of matching.</summary>
    [Fact]
    public void A_granted_filter_never_matches_a_topic_that_is_not_allowed()
    {
        var level = AnyOf("hub", "v1", "braga", "aveiro", "air-1", "noise-1", "alarms", "command", "config", "desired", "readings", "x", "");
        var filterLevel = Gen.OneOf(level, level, level, AnyOf("+", "#", "a+", "#b"));
        var rooted = filterLevel.Array[0, 4].Select(rest => (string[])["hub", "v1", .. rest]);
        var filters = Gen.OneOf(filterLevel.Array[1, 6], rooted).Select(levels => string.Join('/', levels));
        var topics = Gen.OneOf(level.Array[1, 6], level.Array[0, 4].Select(rest => (string[])["hub", "v1", .. rest])).Select(levels => string.Join('/', levels));
        var allowed = AnyOf("hub/v1/braga/alarms/#", "hub/v1/braga/air-1/config/desired", "hub/v1/braga/air-1/command/#", "hub/v1/braga/+/readings");
        Gen.Select(allowed, filters, topics).Sample(
            (wide, filter, topic) => !BrokerRules.Covers(wide, filter) || !Matches(filter, topic) || Matches(wide, topic),
            iter: 200_000);
    }

    [Fact]
    public void A_filter_covers_itself() =>
        AnyOf("hub/v1/braga/alarms/#", "hub/v1/braga/air-1/config/desired", "hub/v1/braga/alarms/+/air-1").Sample(filter => BrokerRules.Covers(filter, filter));

    private static Gen<string> AnyOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>MQTT 5, 4.7: the definition, written as plainly as possible.</summary>
    private static bool Matches(string filter, string topic)
    {
        var (f, t) = (filter.Split('/'), topic.Split('/'));
        for (var i = 0; i < f.Length; i++)
        {
            if (f[i] == "#")
            {
                return i <= t.Length;
            }

            if (i >= t.Length || (f[i] != "+" && f[i] != t[i]))
            {
                return false;
            }
        }

        return f.Length == t.Length;
    }
}
