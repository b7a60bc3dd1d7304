using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>Someone with stations of their own follows README word for word: an empty hub, a municipality, a station, a first reading.</summary>
public sealed class ReadmeJourney
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task An_empty_hub_takes_the_first_reading_of_a_new_station()
    {
        using var folder = new TempFolder();
        var (http, mqtt) = (FreePort.Next(), FreePort.Next());
        var settings = new Dictionary<string, string>
        {
            ["HUB_DATA"] = folder.File("data"),
            ["HUB_HTTP"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{http}"),
            ["HUB_MQTT"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{mqtt}"),
        };
        var run = Readme.Commands("Run");
        Assert.Equal(2, run.Count);
        await using var hub = new RunningProgram("setsid", ["bash", "-c", run[1]], settings);
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{http}/")) };
            await Eventually.TrueAsync(
                () => hub.HasExited ? throw new InvalidOperationException($"The hub ended:\n{hub.Output}") : hub.Output.Contains("password", StringComparison.Ordinal),
                "the hub shows the administrator's password",
                Limit);
            await ConnectAsync(settings, mqtt);

            // The running hub learns of the municipality by itself, perhaps after the station.
            var latest = "";
            await Eventually.TrueAsync(
                async () =>
                {
                    using var answer = await client.GetAsync("api/v1/observations/latest?municipality=braga");
                    latest = await answer.Content.ReadAsStringAsync();
                    return answer.IsSuccessStatusCode;
                },
                "the hub knows the municipality",
                Limit);
            Assert.Contains("\"result\":12.3", latest, StringComparison.Ordinal);
            using var page = await client.GetAsync("stations/braga/rotunda");
            Assert.True(page.IsSuccessStatusCode);
        }
        finally
        {
            using var kill = System.Diagnostics.Process.Start("kill", ["-INT", "--", $"-{hub.Process.Id}"]);
            await kill.WaitForExitAsync();
            await hub.ExitAsync(Limit);
        }
    }

    private static async Task ConnectAsync(Dictionary<string, string> settings, int mqtt)
    {
        var secret = "";
        foreach (var command in Readme.Commands("Connect a station"))
        {
            // README speaks of the standard port; the test has one of its own.
            var line = command.Replace("SECRET", secret, StringComparison.Ordinal)
                .Replace("mosquitto_pub ", string.Create(CultureInfo.InvariantCulture, $"mosquitto_pub -p {mqtt} "), StringComparison.Ordinal);
            if (line.StartsWith("mosquitto_pub", StringComparison.Ordinal))
            {
                // The running hub learns of a station added beside it within a few seconds.
                await Eventually.TrueAsync(async () => (await RunAsync(line, settings)).Code == 0, "the new station may publish", Limit);
                continue;
            }

            var (code, output) = await RunAsync(line, settings);
            Assert.True(code == 0, $"{line}\n{output}");
            secret = output.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(words => words is ["secret", _])?[1] ?? secret;
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string command, Dictionary<string, string> settings)
    {
        await using var program = new RunningProgram("bash", ["-c", command], settings);
        var code = await program.ExitAsync(Limit);
        await program.Process.WaitForExitAsync();
        return (code == 0 && program.Output.Contains("fail", StringComparison.OrdinalIgnoreCase) ? 1 : code, program.Output);
    }
}
