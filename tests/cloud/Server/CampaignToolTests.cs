using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Server.Tests;

/// <summary>Bundles and campaigns from the command line, without a hub beside it.</summary>
public sealed class CampaignToolTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_bundle_is_published_and_a_campaign_started_listed_shown_and_steered()
    {
        await PackAsync("1.4.0");
        await RunAsync(0, "municipality add braga --name Braga");
        await RunAsync(0, "station add braga/rotunda --name Rotunda --latitude 41.55 --longitude -8.42");
        Assert.Contains("no bundle of 1.4.0", await RunAsync(2, "agent campaign start spring --version 1.4.0"), StringComparison.Ordinal);
        var published = await RunAsync(0, $"agent publish {_folder.File("agent.bundle")}");
        Assert.Contains("signature  not checked", published, StringComparison.Ordinal);
        Assert.StartsWith("1.4.0\tlinux-arm64\t", await RunAsync(0, "agent bundles"), StringComparison.Ordinal);
        Assert.Equal(published, await RunAsync(0, $"agent publish {_folder.File("agent.bundle")}"));

        Assert.Contains("campaign  1", await RunAsync(0, "agent campaign start spring --version 1.4.0 --municipality braga --wave 2 --failures 3"), StringComparison.Ordinal);
        Assert.Contains("still in campaign 1", await RunAsync(2, "agent campaign start again --version 1.4.0 --station braga/rotunda"), StringComparison.Ordinal);
        Assert.StartsWith("1\trunning\t1.4.0\t0/1\tbraga\t", await RunAsync(0, "agent campaign list"), StringComparison.Ordinal);
        Assert.Contains("braga/rotunda\tpending\t", await RunAsync(0, "agent campaign show 1"), StringComparison.Ordinal);
        Assert.Contains("state     paused", await RunAsync(0, "agent campaign pause 1"), StringComparison.Ordinal);
        Assert.Contains("cannot become paused", await RunAsync(2, "agent campaign pause 1"), StringComparison.Ordinal);
        Assert.Contains("state     running", await RunAsync(0, "agent campaign resume 1"), StringComparison.Ordinal);
        Assert.Contains("state     cancelled", await RunAsync(0, "agent campaign cancel 1"), StringComparison.Ordinal);
        Assert.Contains("no campaign 7", await RunAsync(2, "agent campaign show 7"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_is_told_in_one_line()
    {
        await PackAsync("1.4.0");
        await RunAsync(0, $"agent keygen --key {_folder.File("other.pem")}");
        await File.WriteAllTextAsync(_folder.File("hub.json"), $$$"""{"fleet":{"updateKeys":["{{{_folder.File("other.pub.pem")}}}"]}}""", TestContext.Current.CancellationToken);
        Assert.Contains("the signature is not of this key", await RunAsync(2, $"agent publish {_folder.File("agent.bundle")}"), StringComparison.Ordinal);
        Assert.Contains("missing.bundle", await RunAsync(2, $"agent publish {_folder.File("missing.bundle")}"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder.File("text"), "no bundle", TestContext.Current.CancellationToken);
        Assert.Contains("no ZIP file", await RunAsync(2, $"agent publish {_folder.File("text")}"), StringComparison.Ordinal);
        Assert.Contains("no municipality 'evora'", await RunAsync(2, "agent campaign start a --version 1.4.0 --municipality evora"), StringComparison.Ordinal);
        Assert.Contains("version: give one such as", await RunAsync(2, "agent campaign start a --version latest"), StringComparison.Ordinal);
        Assert.Contains("no station", await RunAsync(2, "agent campaign start a --version 1.4.0 --station braga/nowhere"), StringComparison.Ordinal);
    }

    private async Task PackAsync(string version)
    {
        var publish = Directory.CreateDirectory(_folder.File("publish")).FullName;
        await File.WriteAllTextAsync(Path.Combine(publish, "hub-agent"), "#!/bin/sh\nexit 0\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(publish, "hub-agent"), (UnixFileMode)0b111_101_101);
        }

        await RunAsync(0, $"agent keygen --key {_folder.File("key.pem")}");
        await RunAsync(0, $"agent pack --folder {publish} --version {version} --runtime linux-arm64 --key {_folder.File("key.pem")} --out {_folder.File("agent.bundle")}");
    }

    /// <summary>Runs the tool and returns what it said; of a mistake it must be one line.</summary>
    private async Task<string> RunAsync(int expected, string arguments)
    {
        using var said = new SaidConsole();
        var code = await HubCommand.RunAsync([.. arguments.Split(' '), "--data", _folder.Path], TestContext.Current.CancellationToken);
        Assert.True(code == expected, $"hub {arguments}: {code} {said.Output}{said.Error}");
        return code == 0 ? said.Output : Assert.Single(said.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
