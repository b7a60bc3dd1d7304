using CsCheck;
using Hub.Edge.Contract.Topics;

namespace Hub.Edge.Contract.Tests;

public sealed class TopicTests
{
    [Theory]
    [InlineData("hub/v1/braga/st-1/readings", TopicKind.Readings, null)]
    [InlineData("hub/v1/braga/st-1/status", TopicKind.Status, null)]
    [InlineData("hub/v1/braga/st-1/config/desired", TopicKind.ConfigDesired, null)]
    [InlineData("hub/v1/braga/st-1/config/reported", TopicKind.ConfigReported, null)]
    [InlineData("hub/v1/braga/st-1/time", TopicKind.Time, null)]
    [InlineData("hub/v1/braga/st-1/command/restart", TopicKind.Command, "restart")]
    public void A_station_topic_is_parsed(string topic, TopicKind kind, string? command)
    {
        Assert.True(HubTopic.TryParse(topic, out HubTopic parsed));
        Assert.Equal(new HubTopic("braga", "st-1", kind, command), parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hub/v1")]
    [InlineData("hub/v1/braga/st-1")]
    [InlineData("hub/v1/braga/st-1/")]
    [InlineData("/hub/v1/braga/st-1/readings")]
    [InlineData("hub/v1/braga/st-1/readings/")]
    [InlineData("hub/v1/braga/st-1/readings/x")]
    [InlineData("hub/v1/braga//readings")]
    [InlineData("hub/v1//st-1/readings")]
    [InlineData("hub/v2/braga/st-1/readings")]
    [InlineData("Hub/v1/braga/st-1/readings")]
    [InlineData("hub/v1/Braga/st-1/readings")]
    [InlineData("hub/v1/évora/st-1/readings")]
    [InlineData("hub/v1/braga/st-1/Readings")]
    [InlineData("hub/v1/+/st-1/readings")]
    [InlineData("hub/v1/braga/+/readings")]
    [InlineData("hub/v1/braga/st-1/#")]
    [InlineData("hub/v1/braga/-st/readings")]
    [InlineData("hub/v1/braga/st-/readings")]
    [InlineData("hub/v1/braga/alarms/readings")]
    [InlineData("hub/v1/braga/alarms/noise-night/st-1")]
    [InlineData("hub/v1/braga/st-1/config")]
    [InlineData("hub/v1/braga/st-1/config/desired/x")]
    [InlineData("hub/v1/braga/st-1/command")]
    [InlineData("hub/v1/braga/st-1/command/")]
    [InlineData("hub/v1/braga/st-1/command/a/b")]
    [InlineData("hub/v1/braga/st-1/command/+")]
    [InlineData("$share/g/hub/v1/braga/st-1/readings")]
    [InlineData("hub/v1/braga/st-1/readings\0")]
    public void Anything_else_is_not(string topic) => Assert.False(HubTopic.TryParse(topic, out _));

    [Theory]
    [InlineData("a", true)]
    [InlineData("0", true)]
    [InlineData("a-b--c", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("-", false)]
    [InlineData("A", false)]
    [InlineData("a_b", false)]
    [InlineData("a b", false)]
    [InlineData("ção", false)]
    public void Slugs_are_lower_case_letters_digits_and_inner_hyphens(string text, bool slug) => Assert.Equal(slug, HubTopic.IsSlug(text));

    [Fact]
    public void A_slug_has_at_most_64_characters()
    {
        Assert.True(HubTopic.IsSlug(new string('a', 64)));
        Assert.False(HubTopic.IsSlug(new string('a', 65)));
        Assert.False(HubTopic.TryParse($"hub/v1/{new string('a', 65)}/s/readings", out _));
    }

    [Fact]
    public void What_is_built_is_parsed()
    {
        Gen<string> slug = Gen.Char["abz019-"].Array[1, 64].Select(static c => new string(c)).Where(static s => HubTopic.IsSlug(s) && s != HubTopic.Alarms);
        Gen.Select(slug, slug).Sample(
            static (municipality, station) =>
            {
                Assert.True(HubTopic.TryParse(HubTopic.Readings(municipality, station), out HubTopic readings));
                Assert.Equal(new HubTopic(municipality, station, TopicKind.Readings), readings);
                Assert.True(HubTopic.TryParse(HubTopic.Status(municipality, station), out HubTopic status));
                Assert.Equal(new HubTopic(municipality, station, TopicKind.Status), status);
                Assert.False(HubTopic.TryParse(HubTopic.Alarm(municipality, "rule", station), out _));
            },
            iter: 500);
    }
}
