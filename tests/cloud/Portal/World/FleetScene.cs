using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>A fleet in Braga with something of everything: a station that tells all of itself, one that nobody has claimed; Parque da Ponte has been late for hours as the city has it.</summary>
internal static class FleetScene
{
    public static async Task FillAsync(PortalHost host)
    {
        var city = host.City;
        var now = city.Now.AddTicks(-(city.Now.Ticks % TimeSpan.TicksPerSecond));
        Assert.True(city.Stations.TryGet("braga", "avenida-central", out var central));
        host.Fleet.Agents[central.Id] = host.Fleet.Example;
        host.Updates.Bundles.Add(new("00", "9.0.0", "linux-arm64", 1, true, "ana", now));
        for (var i = 0; i < 3; i++)
        {
            await host.Fleet.WantSettingsAsync(central, JsonElement.Parse($"{{\"a\":{i}}}"), null, null, "ana", default);
        }

        city.Stations.Add(new(0, "braga", "nova", "Nova", 41.5480, -8.4200, Public: false, ""));
        List<Observation> all = [];
        Say("outbox_depth", (-180, 3), (-120, 900), (-1, 1_203));
        Say("clock_state", (-1, 1));
        Say("clock_sync_age", (-1, 120));
        Say("clock_step", (-60, -2.5));
        Say("link_quality", (-1, -71));
        await city.Series.AppendAsync(all.ToArray(), default);

        void Say(string id, params (int Minutes, double Value)[] values)
        {
            Assert.True(QuantityCatalogue.TryGet(id, out var quantity));
            var stream = city.Stations.Add(central, "agent", quantity, TimeSpan.Zero);
            all.AddRange(values.Select(one => new Observation(stream.Id, now.AddMinutes(one.Minutes), one.Value, default)));
        }
    }
}
