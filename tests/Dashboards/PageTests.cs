using System.Text.RegularExpressions;

namespace Hub.Tests.Dashboards;

/// <summary>Links back to the hub lead to pages that it has.</summary>
[Collection(nameof(City))]
public sealed partial class PageTests(City city)
{
    [Fact]
    public async Task Every_link_to_the_hub_leads_to_a_page()
    {
        // As somebody who may see them all: for strangers the pages of operators do not exist.
        using var browser = new HttpClient { BaseAddress = city.Hub.Client.BaseAddress };
        var token = Token().Match(await browser.GetStringAsync("login")).Groups[1].Value;
        using (var form = new FormUrlEncodedContent([new("name", city.Login.UserName), new("password", city.Login.Password), new("__RequestVerificationToken", token)]))
        using (var answer = await browser.PostAsync("login", form))
        {
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        var links = Dashboard.All.SelectMany(DashboardTests.Links).Where(url => url.StartsWith("${hub}/", StringComparison.Ordinal)).Distinct().ToList();
        Assert.True(links.Count >= 5, $"only {links.Count} links");
        foreach (var link in links)
        {
            var path = Place().Replace(link["${hub}/".Length..], match => match.Value.Contains("municipality", StringComparison.Ordinal) ? City.Municipality : City.Station);
            Assert.DoesNotContain("$", path, StringComparison.Ordinal);
            using var answer = await browser.GetAsync(path);
            Assert.True(answer.IsSuccessStatusCode, $"{link} is answered {(int)answer.StatusCode}");
        }
    }

    [GeneratedRegex(@"\$\{[^}]*\}")]
    private static partial Regex Place();

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]*)\"")]
    private static partial Regex Token();
}
