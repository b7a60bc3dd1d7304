using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The figures at the top of a municipality's page: worst air, loudest street, traffic against the usual.</summary>
public sealed partial class CityFiguresTests(CityWithPast past) : IClassFixture<CityWithPast>
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private PortalHost Host => past.Host;

    [Fact]
    public async Task They_say_what_the_pages_they_lead_to_say()
    {
        var text = WebUtility.HtmlDecode(await Host.Browser("en").GetStringAsync("/m/braga", Cancel));
        Assert.Empty(Html.Read(text).Faults);
        var index = Badge().Match(text);
        Assert.True(index.Success);
        var air = WebUtility.HtmlDecode(await Host.Browser("en").GetStringAsync("/m/braga/air", Cancel));
        Assert.Contains($"class-{index.Groups["class"].Value}\"><span class=\"index-number\">{index.Groups["class"].Value}</span>", air, StringComparison.Ordinal);
        Assert.Contains("worst air now: Avenida Central (", text, StringComparison.Ordinal);
        Assert.Contains("loudest now: Largo da Sé", text, StringComparison.Ordinal);

        // By hand: the hour before noon against the median of the same hour of the weeks before.
        Assert.True(Host.City.Stations.TryGet("braga", "rodovia", out var station));
        var counter = Host.City.Stations.DatastreamsOf(station.Id).Single(one => one.Quantity.Id == "vehicle_count");
        List<double> weeks = [];
        for (var week = 0; week <= TrafficReader.Weeks; week++)
        {
            var from = CityWithPast.Noon.AddHours(-1).AddDays(-7 * week);
            var local = TimeZoneInfo.ConvertTimeFromUtc(CityWithPast.Noon.AddHours(-1), Lisbon).AddDays(-7 * week);
            from = TimeZoneInfo.ConvertTimeToUtc(local, Lisbon);
            foreach (var bucket in await Host.City.Series.AggregateAsync(new(counter.Id, from, from.AddHours(1), new(TimeSpan.FromHours(1), Lisbon), Statistic.Sum) { Cadence = counter.Period }, Cancel))
            {
                if (bucket.Coverage >= TrafficReader.CoverageMin)
                {
                    weeks.Add(bucket.Value / bucket.Coverage);
                }
            }
        }

        Assert.True(weeks.Count > TrafficReader.WeeksMin);
        var percent = ((weeks[0] / WeekPattern.Quantile([.. weeks.Skip(1).Order()], 0.5)) - 1) * 100;
        var expected = Math.Abs(percent) < 5 ? "as usual" : $"{(percent > 0 ? "+" : "−")}{Math.Abs(percent).ToString("N0", CultureInfo.InvariantCulture)} %";
        Assert.Contains($"traffic from 11:00 to 12:00, against the usual</dt><dd><a href=\"/m/braga/traffic\">{expected}</a>", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_of_one_municipality_and_only_say_what_is_known()
    {
        var all = await Host.Browser("en").GetStringAsync("/", Cancel);
        Assert.DoesNotContain("worst air now", all, StringComparison.Ordinal);
        Assert.Contains("loudest now", all, StringComparison.Ordinal);

        // Too few weeks for a usual.
        var aveiro = await Host.Browser("en").GetStringAsync("/m/aveiro", Cancel);
        Assert.Contains("worst air now", aveiro, StringComparison.Ordinal);
        Assert.DoesNotContain("against the usual", aveiro, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_made_once_a_minute_for_everybody_and_of_public_stations()
    {
        var figures = Host.App.Services.GetRequiredService<CityFigures>();
        var reader = Host.App.Services.GetRequiredService<Reader>();
        Assert.True(Host.City.Municipalities.TryGet("braga", out var braga));
        var stations = reader.City(new(), braga).Stations;
        var now = CityWithPast.Noon;
        var first = await figures.OfAsync("braga", stations, Lisbon, now, Cancel);
        Assert.Same(first, await figures.OfAsync("braga", [], Lisbon, now.AddSeconds(59), Cancel));
        var next = await figures.OfAsync("braga", [], Lisbon, now.AddSeconds(60), Cancel);
        Assert.Equal(CityNumbers.None, next);
    }

    [GeneratedRegex("<span class=\"index-badge small-badge class-(?<class>[1-6])\">")]
    private static partial Regex Badge();
}
