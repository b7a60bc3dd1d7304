using System.Globalization;
using System.Runtime.InteropServices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// The steps of firmware-config/provisioning with the real hub, agent and scripts: claim code, card, first boot, reading on the map. The card is a folder, the machine another root, and the particle sensor
/// hangs on a pseudo-terminal; Chromium looks at the map.
/// </summary>
public sealed class ClaimJourney(ITestOutputHelper output)
{
    // The SDS011's data sheet: 123.6 and 261.8 ug/m3.
    private static readonly byte[] Frame = Convert.FromHexString("AAC0D4043A0AA1601DAB");

    private static readonly string Runtime = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    [Fact]
    public async Task From_a_blank_card_to_a_reading_on_the_map()
    {
        using var folder = new TempFolder();
        await using var hub = new HubProgram(folder.File("hub"));
        await hub.AddStationAsync("braga", "rotunda");
        await hub.StartAsync();

        // 2. The operator gets a code; 1, the writing of the card, is a folder here.
        var said = await hub.ToolAsync("station", "claim-code", "braga/rotunda", "--profile", "journey");
        var code = said.Split('\n').Single(line => line.StartsWith("code", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim();

        // 3. The card is prepared.
        var (boot, root) = (Directory.CreateDirectory(folder.File("boot")).FullName, folder.File("root"));
        var scripts = Path.Combine(Repository.Root, "firmware-config", "provisioning");
        output.WriteLine(await RunAsync(
            Path.Combine(scripts, "prepare-card"), [boot, "--hub", hub.Client.BaseAddress!.ToString().TrimEnd('/'), "--code", code, "--agent", Path.GetDirectoryName(HubProgram.AgentExecutable)!, "--runtime", Runtime]));

        // 4. Sensors are connected, power comes. The profile is one whose sensor this machine has.
        using var dust = new Pty();
        await File.WriteAllTextAsync(
            Path.Combine(boot, "hub", "stations", "journey.yaml"),
            $"municipality: m\nstation: s\nsensors:\n  - {{ name: dust, kind: sds011, every: \"00:00:05\", bus: {{ serial: {dust.Path} }} }}\n  - {{ name: board, kind: board }}\n");
        using var stop = new CancellationTokenSource();
        var blowing = BlowAsync(dust, stop.Token);
        output.WriteLine(await RunAsync(Path.Combine(boot, "hub", "first-boot"), [], ("HUB_ROOT", root)));

        // What systemd would start.
        var unit = await File.ReadAllLinesAsync(Path.Combine(root, "etc/systemd/system/hub-agent.service"));
        var start = unit.Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.StartsWith('/') ? root + word : word).ToArray();
        await using var agent = new RunningProgram(start[0], start[1..]);

        // 5. The reading is there, for everybody.
        var reader = new HubReader(hub.Client);
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    var streams = await reader.DatastreamsAsync("municipality=braga&station=rotunda");
                    return streams.FirstOrDefault(stream => stream is { Sensor: "dust", Property: "pm10" }) is { } pm10 && await reader.CountAsync(pm10.Id) > 0;
                },
                "the first reading of the sensor is stored",
                TimeSpan.FromMinutes(3));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\nThe agent said:\n{agent.Output}\nThe hub said:\n{hub.Output}", e);
        }

        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync($"{hub.Client.BaseAddress}?municipality=braga");
        await page.GetByText("261,8").First.WaitForAsync();
        await Browser.ShootAsync(page, "claimed-station");
        Assert.Empty(browser.PageErrors);

        // The code is spent: another machine does not get the station with it, and this one keeps its own secret to itself.
        var again = await RunAsync(
            root + "/opt/hub-agent/current/hub-agent", ["claim", "--hub", hub.Client.BaseAddress.ToString().TrimEnd('/'), "--code", code, "--station-file", folder.File("other.yaml")], expected: 2);
        Assert.Contains("does not take this code", again, StringComparison.Ordinal);
        Assert.DoesNotContain((await File.ReadAllTextAsync(root + "/etc/hub-agent/secret")).Trim(), agent.Output + hub.Output + await File.ReadAllTextAsync(Path.Combine(boot, "hub", "first-boot.log")), StringComparison.Ordinal);
        Assert.Equal(0, await agent.SignalAsync("TERM"));
        await stop.CancelAsync();
        await blowing;
    }

    /// <summary>The sensor says what it measures once a second, as it does.</summary>
    private static async Task BlowAsync(Pty dust, CancellationToken stop)
    {
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!stop.IsCancellationRequested)
        {
            // With nobody to read, what it says would fill the line.
            if (dust.IsOpen)
            {
                dust.Say(Frame);
            }

            await second.WaitForNextTickAsync(stop).AsTask().ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private static async Task<string> RunAsync(string program, string[] arguments, (string Name, string Value)? variable = null, int expected = 0)
    {
        await using var running = new RunningProgram(program, arguments, variable is { } set ? new Dictionary<string, string> { [set.Name] = set.Value } : null);
        var code = await running.ExitAsync();
        await running.Process.WaitForExitAsync();
        Assert.True(code == expected, string.Create(CultureInfo.InvariantCulture, $"{program} ended with {code}:\n{running.Output}"));
        return running.Output;
    }
}
