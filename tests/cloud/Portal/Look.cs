using System.Globalization;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;

namespace Hub.Cloud.Portal.Tests;

/// <summary>
/// Serves the pages to look at, with a made-up city and event stream, until the process is ended:
/// <c>HUB_PORTAL_LOOK=5080 dotnet run --project tests/cloud/Portal -- -explicit only</c>, then open http://127.0.0.1:5080. Sign in as braga with the password right to see the agents. <c>HUB_PORTAL_LOOK_STATIONS=2000</c> adds so many stations to Braga.
/// </summary>
public sealed class Look
{
    [Fact(Explicit = true)]
    [Trait("kind", "look")]
    public async Task At_the_pages()
    {
        var port = int.Parse(Environment.GetEnvironmentVariable("HUB_PORTAL_LOOK") ?? "5080", CultureInfo.InvariantCulture);
        var city = new City(TimeProvider.System.GetUtcNow().UtcDateTime);
        Past.Fill(city);
        if (int.TryParse(Environment.GetEnvironmentVariable("HUB_PORTAL_LOOK_STATIONS"), CultureInfo.InvariantCulture, out var more))
        {
            Crowd.Fill(city, more);
        }

        using TempFolder folder = new();
        await using var host = await PortalHost.StartAsync(city, TimeProvider.System, port, signUpFolder: folder.Path, settings: values => values["Hub:PublicUrl"] = $"http://127.0.0.1:{port}");
        TestContext.Current.SendDiagnosticMessage("Mails are written to {0}.", Path.Combine(folder.Path, "mail"));
        foreach (var station in city.Stations.All)
        {
            host.Fleet.Agents[station.Id] = host.Fleet.Example;
        }

        await FleetScene.FillAsync(host);

        await Task.Delay(Timeout.InfiniteTimeSpan, TestContext.Current.CancellationToken);
    }
}
