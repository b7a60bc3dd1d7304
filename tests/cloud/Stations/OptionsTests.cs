using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Stations.Tests;

public sealed class OptionsTests
{
    [Theory]
    [InlineData("Hub:Stations:DatastreamsMax", "0")]
    [InlineData("Hub:Stations:DatastreamsMax", "100001")]
    [InlineData("Hub:Stations:StationsMax", "0")]
    public void A_setting_out_of_range_is_named_in_full(string key, string value)
    {
        using var folder = new TempFolder();
        using var services = StationsHost.Build(folder, new FakeTimeProvider(), (key, value));
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<StationsOptions>>().Value);
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }
}
