using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Api.Tests;

public sealed class AlarmTests
{
    [Fact]
    public async Task Active_ended_and_all_of_what_the_caller_may_see()
    {
        await using var host = await ApiHost.StartAsync();
        host.Alerts.Alarms.AddRange([
            Alarm(host, "a", "braga", "centro", host.Pm10, hours: 3, ended: true),
            Alarm(host, "b", "braga", "centro", host.Pm10, hours: 2),
            Alarm(host, "c", "braga", "escola", host.PrivateNo2, hours: 1),
            Alarm(host, "d", "aveiro", "ria", host.Vehicles, hours: 24 * 8, ended: true),
        ]);
        Assert.Equal(["b", "a"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms"), "alarm"));
        Assert.Equal(["b"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=true"), "alarm"));
        Assert.Equal(["c", "b"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=true&municipality=braga", "Viewer@braga"), "alarm"));
        Assert.Equal(["a"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=false", "Viewer@aveiro"), "alarm"));
        Assert.Equal(["a", "d"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=false&from=2026-01-01T00:00:00Z"), "alarm"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/alarms?municipality=aveiro"), "alarm"));
        var alarm = (await host.GetAsync("/api/v1/alarms?active=true")).GetProperty("items")[0];
        Assert.Equal(
            "pm10 ug/m3 warning True 2026-03-01T09:55:00Z 2026-03-01T10:00:00Z 80 95",
            string.Join(' ', new[] { "property", "unit", "severity", "active", "conditionAt", "startedAt", "startValue", "peak" }.Select(p => alarm.GetProperty(p).ToString())));
    }

    [Fact]
    public async Task Parts_put_together_are_the_whole_once_and_what_started_together_is_not_parted()
    {
        await using var host = await ApiHost.StartAsync();
        for (var i = 0; i < 12; i++)
        {
            host.Alerts.Alarms.Add(Alarm(host, $"{i:00}", "braga", "centro", host.Pm10, hours: 1 + (i / 3), ended: true));
        }

        List<string?> all = [];
        for (string? address = "/api/v1/alarms?limit=2"; address is not null;)
        {
            var page = await host.GetAsync(address);
            Assert.Equal(3, page.GetProperty("items").GetArrayLength());
            all.AddRange(ApiHost.Texts(page, "alarm"));
            address = page.GetProperty("next").GetString();
        }

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"{i:00}"), all);
    }

    [Fact]
    public async Task Rules_are_shown_and_one_for_a_private_station_only_to_its_people()
    {
        await using var host = await ApiHost.StartAsync();
        host.Alerts.RuleList.Add(new Rule("braga", "pm10-day", "PM10", "PM10", Severity.Alert, "pm10", null, null, 3_600, Crossing.Above, 50, 45, TimeSpan.FromMinutes(30)));
        host.Alerts.RuleList.Add(new Rule("braga", "school", "Escola", "School", Severity.Warning, "no2", "escola", null, null, Crossing.Above, 40, 35, TimeSpan.Zero));
        host.Alerts.RuleList.Add(new Rule("aveiro", "quiet", "Rua", "Street", Severity.Information, "laeq", null, null, null, Crossing.Below, 30, 35, TimeSpan.Zero));
        Assert.Equal(["pm10-day", "quiet"], ApiHost.Texts(await host.GetAsync("/api/v1/rules"), "rule"));
        Assert.Equal(["pm10-day", "school"], ApiHost.Texts(await host.GetAsync("/api/v1/rules?municipality=braga", "Viewer@braga"), "rule"));
        var rule = (await host.GetAsync("/api/v1/rules")).GetProperty("items")[0];
        Assert.Equal(
            "alert pm10 ug/m3 PT1H above 50 45 PT30M",
            string.Join(' ', new[] { "severity", "property", "unit", "period", "crossing", "setLevel", "clearLevel", "for" }.Select(p => rule.GetProperty(p).ToString())));
    }

    internal static Alarm Alarm(ApiHost host, string id, string municipality, string station, int datastream, int hours, bool ended = false) => new(
        id, municipality, "rule", station, datastream, Severity.Warning, ApiHost.Now.AddHours(-hours).AddMinutes(-5), ApiHost.Now.AddHours(-hours),
        ended ? ApiHost.Now.AddHours(-hours).AddMinutes(30) : null, 80, 95, 70, host.Time.GetUtcNow().UtcDateTime, false, false);
}
