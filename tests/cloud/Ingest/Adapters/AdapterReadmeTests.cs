using System.Net;
using System.Text.RegularExpressions;
using Hub.Cloud.Ingest.Adapters.Telraam;
using Hub.Cloud.Ingest.Adapters.ThingsStack;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

/// <summary>What owners are told to type works as they are told.</summary>
public sealed partial class AdapterReadmeTests
{
    private static readonly string Readme = Repository.Read("firmware-config/adapters/README.md");

    private static string[] Blocks => [.. Json().Matches(Readme).Select(m => m.Groups[1].Value)];

    [Fact]
    public async Task The_device_file_of_the_README_is_understood()
    {
        using var folder = new TempFolder();
        var file = folder.File("devices.json");
        await File.WriteAllTextAsync(file, Blocks.Single(b => b.Contains("acme/ear", StringComparison.Ordinal)), AdapterBench.Cancel);
        Assert.Equal(3, DeviceTable.Load(file).Find("acme/ear")!.Fields.Count);
    }

    [Fact]
    public async Task The_report_of_the_README_is_taken()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync("telraam", Blocks.Single(b => b.Contains("\"report\"", StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.Created, 5, 0), (status, body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
    }

    [Fact]
    public void The_settings_of_the_README_are_valid()
    {
        using var json = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Blocks.Single(b => b.Contains("\"telraam\"", StringComparison.Ordinal))));
        var options = new TelraamOptions();
        new ConfigurationBuilder().AddJsonStream(json).Build().GetSection("ingest:telraam").Bind(options);
        Assert.True(options is { Enabled: true, Counters: [{ Segment: 9_000_001_234, Format: TelraamFormat.PerHour }] });
        Assert.True(new TelraamOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Every_adapter_and_every_model_is_in_the_README()
    {
        Assert.All(StationAdapters.Names, name => Assert.Contains($"/{name}", Readme, StringComparison.Ordinal));
        Assert.All(DeviceTable.Load(null).Models, model => Assert.Contains($"`{model.Model}`", Readme, StringComparison.Ordinal));
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
