using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>Suppressed by design (ISA-18.2): while an alarm of a parent is active at a station, nothing new is told of the rule there.</summary>
public sealed class ParentTests
{
    /// <summary>Below 40 dB the microphone is broken; what dust there is then, nobody wants to hear.</summary>
    private static readonly Rule Broken = AlertsBench.NoiseRule(set: 40, clear: 45, slug: "broken") with { Crossing = Crossing.Below };

    private static readonly Rule Dust = AlertsBench.NoiseRule(set: 50, clear: 45, slug: "dust") with { Property = "pm10", SuppressedBy = ["broken", "not-there"] };

    private static DateTime T0 => AlertsBench.T0;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_new_is_told_until_the_parent_is_over_and_then_what_is_active(bool restart)
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 30));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(3, T0.AddHours(-1), 60));
        await bench.CaughtUpAsync();
        Assert.Equal(["broken"], bench.Notifications.Messages.Select(message => message.Rule));
        var dust = bench.Alerts.Active(null).Single(alarm => alarm.Rule == "dust");
        var parent = bench.Alerts.Active(null).Single(alarm => alarm.Rule == "broken");
        var handling = (await bench.Handling.OfAsync([dust, parent], default)).ToArray();
        Assert.Equal((parent.Id, true, AlarmState.ActiveUnacknowledged), (handling[0].SuppressedBy, handling[0].IsSilent, handling[0].State));
        Assert.Equal((null, false), (handling[1].SuppressedBy, handling[1].IsSilent));
        if (restart)
        {
            await bench.StopEvaluatorAsync();
            await bench.StartEvaluatorAsync();
            await bench.CaughtUpAsync();
            Assert.Single(bench.Notifications.Messages);
        }

        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.AppendAsync(Obs.At(1, T0, 60));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 3, "what is active is told when the parent is over");
        Assert.Equal(["Started broken", "Ended broken", "Started dust"], bench.Notifications.Messages.Select(message => $"{message.Kind} {message.Rule}"));
        Assert.Null((await bench.Handling.OfAsync([dust], default))[0].SuppressedBy);
    }

    [Fact]
    public async Task What_was_told_before_is_closed_and_what_began_and_was_over_meanwhile_stays_untold()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(Obs.At(3, T0.AddHours(-1), 60));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 30));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.AppendAsync(Obs.At(3, T0, 40));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.AppendAsync(Obs.At(3, T0.AddHours(1), 60));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.AppendAsync(Obs.At(3, T0.AddHours(2), 40));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddHours(3).AddMinutes(-1), 60));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started dust", "Started broken", "Ended dust", "Ended broken"], bench.Notifications.Messages.Select(message => $"{message.Kind} {message.Rule}"));
        Assert.Equal(2, (await bench.HistoryAsync()).Count(alarm => alarm.Rule == "dust"));
    }

    [Fact]
    public async Task Other_stations_are_told_as_ever_and_a_rule_without_its_parent_any_more_is_told_at_once()
    {
        await using var bench = await StartAsync();
        bench.Stations.Add(4, "se", "pm10", 3600);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 30));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(3, T0.AddHours(-1), 60), Obs.At(4, T0.AddHours(-1), 60));
        await bench.CaughtUpAsync();
        Assert.Equal(["broken avenida", "dust se"], bench.Notifications.Messages.Select(message => $"{message.Rule} {message.Station}"));
        await bench.Alerts.SaveAsync(Dust with { SuppressedBy = [] }, default);
        await bench.CaughtUpAsync();
        Assert.Equal(["broken avenida", "dust se", "dust avenida"], bench.Notifications.Messages.Select(message => $"{message.Rule} {message.Station}"));
    }

    private static async Task<AlertsBench> StartAsync()
    {
        var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Broken, default);
        await bench.Alerts.SaveAsync(Dust, default);
        await bench.CaughtUpAsync();
        return bench;
    }
}
