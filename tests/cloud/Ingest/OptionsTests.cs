using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void The_defaults_are_valid()
    {
        Assert.True(new IngestOptionsValidator().Validate(null, new IngestOptions()).Succeeded);
        Assert.True(new MqttOptionsValidator().Validate(null, new MqttOptions()).Succeeded);
    }

    [Theory]
    [InlineData("Endpoint", "1883")]
    [InlineData("Endpoint", "127.0.0.1")]
    [InlineData("Endpoint", "::1")]
    [InlineData("Endpoint", "192.168.1.5:1883")]
    [InlineData("Endpoint", "[::]:1883")]
    [InlineData("Endpoint", "")]
    [InlineData("Tls:Endpoint", "0.0.0.0:8883")]
    [InlineData("Tls:CertificateFile", "/etc/hostname")]
    [InlineData("WebSocketPath", "mqtt")]
    [InlineData("WebSocketPath", "/")]
    [InlineData("WebSocketPath", "/mqtt/")]
    [InlineData("WebSocketPath", "//mqtt")]
    [InlineData("WebSocketPath", "/{station}")]
    [InlineData("WebSocketPath", "/mqtt?x")]
    [InlineData("WebSocketOrigins:0", "*")]
    [InlineData("WebSocketOrigins:0", "dashboards.example")]
    [InlineData("WebSocketOrigins:0", "https://dashboards.example/page")]
    [InlineData("ConnectionsMax", "0")]
    [InlineData("ConnectionsPerUserMax", "0")]
    [InlineData("RetainedBytesMax", "12")]
    [InlineData("LoginTimeout", "00:00:00.5")]
    [InlineData("Readers:0:User", "braga/air-1")]
    [InlineData("Readers:0:Secret", "short")]
    [InlineData("Readers:0:SecretSha256", "zz")]
    [InlineData("Readers:0:SecretFile", "/no/such/file")]
    [InlineData("Readers:0:Municipalities:0", "Braga!")]
    [InlineData("Mode", "External")]
    public void A_wrong_setting_is_refused_by_its_full_key(string key, string value)
    {
        var settings = new Dictionary<string, string?> { [$"Hub:Mqtt:{key}"] = value };
        var result = new MqttOptionsValidator().Validate(null, Bind(settings));
        Assert.True(result.Failed);
        Assert.Contains("Hub:Mqtt:", result.FailureMessage, StringComparison.Ordinal);
        var named = key == "Mode" ? "External:Address" : key.Split(':') is ["Readers", ..] ? "Readers:0" : key.Split(':')[0];
        Assert.Contains($"Hub:Mqtt:{named}", result.FailureMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Address", "broker")]
    [InlineData("Address", "broker.example:0")]
    [InlineData("Address", "broker.example:99999")]
    [InlineData("Tls", "false", "Address", "broker.example:8883")]
    [InlineData("User", "")]
    [InlineData("SecretFile", "/no/such/file")]
    [InlineData("CertificateAuthorityFile", "/no/such/file")]
    [InlineData("ClientId", "")]
    [InlineData("ShareName", "a/b")]
    [InlineData("ReceiveMaximum", "0")]
    [InlineData("SessionExpiry", "00:00:10")]
    [InlineData("RetryMin", "00:00:00.01")]
    [InlineData("RetryMax", "00:00:00.5")]
    public void A_wrong_setting_of_the_external_broker_is_refused_by_its_full_key(string key, string value, string? other = null, string? otherValue = null)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("secret"), "x");
        var settings = new Dictionary<string, string?>
        {
            ["Hub:Mqtt:Mode"] = "External",
            ["Hub:Mqtt:External:Address"] = "127.0.0.1:1883",
            ["Hub:Mqtt:External:User"] = "hub",
            ["Hub:Mqtt:External:SecretFile"] = folder.File("secret"),
        };
        Assert.True(new MqttOptionsValidator().Validate(null, Bind(settings)).Succeeded);
        settings[$"Hub:Mqtt:External:{key}"] = value;
        if (other is not null)
        {
            settings[$"Hub:Mqtt:External:{other}"] = otherValue;
        }

        var result = new MqttOptionsValidator().Validate(null, Bind(settings));
        Assert.Contains($"Hub:Mqtt:External:{key}", result.FailureMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PacksInFlightMax", "0")]
    [InlineData("UncommittedBytesMax", "1048575")]
    [InlineData("QuarantineEntriesMax", "0")]
    [InlineData("QuarantineBytesMax", "1000")]
    [InlineData("QuarantinePackEntriesMax", "0")]
    [InlineData("RetryAfter", "02:00:00")]
    public void A_wrong_setting_of_ingest_is_refused_by_its_full_key(string key, string value)
    {
        var options = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [$"Hub:Ingest:{key}"] = value }).Build().GetSection(IngestOptions.Section).Get<IngestOptions>()!;
        Assert.Contains($"Hub:Ingest:{key}", new IngestOptionsValidator().Validate(null, options).FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void One_pack_may_not_leave_more_entries_than_its_station()
    {
        var result = new IngestOptionsValidator().Validate(null, new IngestOptions { QuarantineEntriesMax = 10, QuarantinePackEntriesMax = 11 });
        Assert.Contains("at most Hub:Ingest:QuarantineEntriesMax", result.FailureMessage, StringComparison.Ordinal);
    }

    private static MqttOptions Bind(Dictionary<string, string?> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection(MqttOptions.Section).Get<MqttOptions>() ?? new MqttOptions();
}
