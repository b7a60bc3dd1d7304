using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Update.Tests;

public sealed class UpdateOptionsTests
{
    [Theory]
    [InlineData("Root", "opt/hub-agent", "Agent:Update:Root is 'opt/hub-agent'")]
    [InlineData("KeyFiles:0", "/nowhere/key.pem", "Agent:Update:KeyFiles:0 '/nowhere/key.pem' does not exist")]
    [InlineData("CaFile", "/nowhere/ca.pem", "Agent:Update:CaFile '/nowhere/ca.pem' does not exist")]
    [InlineData("Bandwidth", "5", "Agent:Update:Bandwidth is 5; give 1000 to")]
    [InlineData("RetryDelayMin", "00:00:00", "Agent:Update:RetryDelayMin is 00:00:00")]
    [InlineData("RetryDelayMax", "00:00:01", "Agent:Update:RetryDelayMax is 00:00:01")]
    [InlineData("StallTimeout", "01:00:00", "Agent:Update:StallTimeout is 01:00:00")]
    public void A_wrong_setting_is_named(string key, string value, string expected)
    {
        using var services = Services((key, value));
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(expected, Assert.Single(refused.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_key_nothing_is_installed()
    {
        await using var services = Services();
        services.GetRequiredService<IStartupValidator>().Validate();
        var update = services.GetRequiredService<IUpdate>();
        await update.WantAsync(new("9.9.9", []), TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        Assert.IsType<NoUpdate>(update);
        Assert.Contains("update.keyFiles", update.State!.Problem, StringComparison.Ordinal);
        Assert.Equal("1.2.3", update.Version);
        Assert.StartsWith("linux-", update.Runtime, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_key_it_is_on_but_outside_a_slot_it_says_so()
    {
        using var folder = new TempFolder();
        using var bundle = new TestBundle();
        await File.WriteAllTextAsync(folder.File("key.pem"), bundle.PublicPem, TestContext.Current.CancellationToken);
        await using var services = Services(("KeyFiles:0", folder.File("key.pem")), ("Root", folder.Path));
        var update = services.GetRequiredService<IUpdate>();

        Assert.Same(update, services.GetServices<IHostedService>().Single());
        await update.WantAsync(new("9.9.9", [TestBundle.Announce([1], "http://127.0.0.1:1/b")]), TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        Assert.Contains("update.root", update.State!.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_slot_is_found_behind_links()
    {
        using var folder = new TempFolder();
        var real = Directory.CreateDirectory(folder.File("real")).FullName;
        Directory.CreateDirectory(Path.Combine(real, "a"));
        Directory.CreateSymbolicLink(folder.File("linked"), real);
        Directory.CreateSymbolicLink(Path.Combine(real, "current"), "a");

        Assert.Equal("a", RunningAgent.Find(Path.Combine(real, "a") + "/", folder.File("linked"), "1.0.0").Slot);
        Assert.Equal("a", RunningAgent.Find(folder.File("linked/current"), real, "1.0.0").Slot);
        Assert.Null(RunningAgent.Find(real, real, "1.0.0").Slot);
        Assert.Null(RunningAgent.Find("/usr/bin", "/nowhere", "1.0.0").Slot);
    }

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create($"Agent:Update:{pair.Key}", (string?)pair.Value))).Build();
        var services = new ServiceCollection().AddLogging().AddHubUpdate(configuration, "1.2.3").AddHubUpdate(configuration, "1.2.3");
        return services.AddSingleton<IHostApplicationLifetime>(new UpdateFixture.Lifetime()).BuildServiceProvider();
    }
}
