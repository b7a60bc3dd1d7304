using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class AlarmMessageTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_says_where_the_station_is_and_whether_everybody_may_know(bool isPublic)
    {
        Assert.True(QuantityCatalogue.TryGet("laeq", out var quantity));
        var datastream = new Datastream(1, new Station(1, "braga", "avenida", "Avenida", 41.55, -8.42, isPublic, ""), "s1", quantity, TimeSpan.FromMinutes(1));
        var alarm = new AlarmRow { Id = "a", Municipality = "braga", Rule = "night", Station = "avenida", Thread = "a" };
        var pair = new Pair(new RuleRow { Property = "laeq" }, 0, new RuleLevel(Severity.Warning, 70, 65), null, datastream, null, new AlertsOptions(), TimeZoneInfo.Utc);
        var message = AlarmMessages.FromJson(AlarmMessages.ToJson(new AlarmMessages(new Directory()).Write(alarm, pair, NotificationKind.Started)));
        Assert.Equal((41.55, -8.42, isPublic), (message.Latitude, message.Longitude, message.Public));
    }

    private sealed class Directory : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) => ("Braga", "Europe/Lisbon");
    }
}
