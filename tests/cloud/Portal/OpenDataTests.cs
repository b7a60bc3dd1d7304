using System.Net;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The page about open data: what it lists is public, and what it says of licences is what was declared. That its commands work is shown with the real hub, in Journeys.</summary>
public sealed class OpenDataTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_lists_what_is_public_with_sources_and_commands()
    {
        await using var host = await StartAsync();
        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/open-data", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        foreach (var text in new[] { "em 12 estações", "<code>pm2_5</code>", "µg/m³", City.ZurichSource, "ainda não foi declarada" })
        {
            Assert.Contains(text, WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Oficina", page, StringComparison.Ordinal);
        var examples = Html.Read(page).Tags.Count(tag => tag["data-example"] is not null);
        Assert.Equal(5, examples);
        page = WebUtility.HtmlDecode(await browser.GetStringAsync("/open-data?municipality=evora&lang=en", Cancel));
        Assert.Contains("curl 'http://localhost/api/v1/stations?municipality=evora'", page, StringComparison.Ordinal);
        Assert.Contains("curl -N 'http://localhost/api/v1/live?municipality=evora'", page, StringComparison.Ordinal);
        using var unknown = await browser.GetAsync("/open-data?municipality=lisboa", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_declared_licence_is_linked_and_a_hub_just_installed_has_nothing_yet()
    {
        await using var host = await PortalHost.StartAsync(new City(Noon) { Empty = true }, new FakeTimeProvider(Noon), settings: values =>
        {
            values["Hub:Portal:DataLicence"] = "CC BY 4.0";
            values["Hub:Portal:DataLicenceUrl"] = "https://creativecommons.org/licenses/by/4.0/";
        });
        using var browser = host.Browser("en");
        var page = await browser.GetStringAsync("/open-data", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("""<a href="https://creativecommons.org/licenses/by/4.0/" rel="noopener license">CC BY 4.0</a>""", page, StringComparison.Ordinal);
        Assert.Contains("There are no public measurements yet", page, StringComparison.Ordinal);
        Assert.DoesNotContain("data-example", page, StringComparison.Ordinal);
    }

    private static Task<PortalHost> StartAsync() => PortalHost.StartAsync(new City(Noon), new FakeTimeProvider(Noon));
}
