using Hub.Tests.Kit;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities.Tests;

public sealed class MunicipalityTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_is_saved_is_found_now_and_after_a_restart_and_ordered_by_name()
    {
        var braga = new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon");
        var evora = new Municipality("evora", "Évora", "Alentejo", "0705", 38.57, -7.91, "Europe/Lisbon");
        var aveiro = new Municipality("aveiro", "Aveiro", "Centro", "0105", 40.64, -8.65, "Europe/Lisbon");
        await using (var host = await MunicipalitiesHost.StartAsync(folder))
        {
            foreach (var each in new[] { evora, braga, aveiro })
            {
                await host.Municipalities.SaveAsync(each, Cancel);
            }

            await host.Municipalities.SaveAsync(braga with { Name = "Bracara" }, Cancel);
            Assert.Equal([aveiro, braga with { Name = "Bracara" }, evora], host.Municipalities.All);
        }

        await using var again = await MunicipalitiesHost.StartAsync(folder);
        Assert.Equal(["aveiro", "braga", "evora"], again.Municipalities.All.Select(m => m.Slug));
        Assert.True(again.Municipalities.TryGet("evora", out var found));
        Assert.Equal(evora, found);
        Assert.False(again.Municipalities.TryGet("Evora", out _));
    }

    [Theory]
    [InlineData("Slug", "Braga", "Braga", "Norte", "0303", 0, 0, "Europe/Lisbon")]
    [InlineData("Name", "braga", "", "Norte", "0303", 0, 0, "Europe/Lisbon")]
    [InlineData("Region", "braga", "Braga", "a\tb", "0303", 0, 0, "Europe/Lisbon")]
    [InlineData("Code", "braga", "Braga", "Norte", "303", 0, 0, "Europe/Lisbon")]
    [InlineData("Latitude", "braga", "Braga", "Norte", "0303", -91, 0, "Europe/Lisbon")]
    [InlineData("Longitude", "braga", "Braga", "Norte", "0303", 0, double.PositiveInfinity, "Europe/Lisbon")]
    [InlineData("Zone", "braga", "Braga", "Norte", "0303", 0, 0, "Europe/Braga")]
    public async Task A_field_that_breaks_its_rule_is_named(string named, string slug, string name, string region, string code, double latitude, double longitude, string zone)
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () =>
            await host.Municipalities.SaveAsync(new Municipality(slug, name, region, code, latitude, longitude, zone), Cancel));
        Assert.StartsWith(named, refused.Message, StringComparison.Ordinal);
        Assert.Empty(host.Municipalities.All);
    }

    [Theory]
    [InlineData("Hub:Municipalities:FailuresMax", "2")]
    [InlineData("Hub:Municipalities:LockOut", "00:00:01")]
    [InlineData("Hub:Municipalities:CookieLife", "60.00:00:00")]
    [InlineData("Hub:Municipalities:TokenLife", "00:00:00")]
    [InlineData("Hub:Municipalities:SessionCheck", "02:00:00")]
    public async Task A_setting_out_of_range_stops_the_start_and_is_named_in_full(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => MunicipalitiesHost.StartAsync(folder, null, (key, value)));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }
}
