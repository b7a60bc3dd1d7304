namespace Hub.Cloud.Portal.Tests;

public sealed class PortalOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.True(new PortalOptionsValidator().Validate(null, new()).Succeeded);

    [Fact]
    public void Each_message_names_the_full_key()
    {
        PortalOptions wrong = new()
        {
            PagesKeptFor = TimeSpan.FromHours(1), Title = "", Language = "fr", ChartSpan = TimeSpan.FromMinutes(90), ChartPointsMax = 1, InstantStep = TimeSpan.Zero, AlarmsSpan = TimeSpan.Zero, AlarmsMax = 0,
            LatestMax = 0, DataLicence = new('x', 101), DataLicenceUrl = "creativecommons", LiveAddress = "//elsewhere.example/live", DatastreamsAddress = "https://elsewhere.example",
        };
        var failures = new PortalOptionsValidator().Validate(null, wrong).Failures!.ToArray();
        foreach (var property in typeof(PortalOptions).GetProperties())
        {
            Assert.Contains(failures, failure => failure.StartsWith($"Hub:Portal:{property.Name} must be ", StringComparison.Ordinal));
        }
    }
}
