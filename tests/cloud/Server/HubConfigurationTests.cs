using System.Globalization;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tests;

public sealed class HubConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_defaults_are_a_database_in_the_data_folder()
    {
        var configuration = Build([]);

        Assert.Equal(_folder.Path, configuration["Hub:Data"]);
        Assert.Equal(_folder.File("hub.db"), configuration["Hub:Database"]);
        Assert.Equal("127.0.0.1:8080", (configuration.GetSection("Hub").Get<HubSettings>() ?? new HubSettings()).Http.Endpoint);
    }

    [Fact]
    public void Command_line_over_environment_over_file_over_default()
    {
        File.WriteAllText(_folder.File("hub.json"), """{"http": {"endpoint": "127.0.0.1:1001"}, "mqtt": {"endpoint": "127.0.0.1:1002"}, "publicUrl": "https://file.example.org"}""");

        var configuration = Build([("Hub:Http:Endpoint", "127.0.0.1:3001")], ("HUB_HTTP", "127.0.0.1:2001"), ("HUB_MQTT", "127.0.0.1:2002"));

        Assert.Equal("127.0.0.1:3001", configuration["Hub:Http:Endpoint"]);
        Assert.Equal("127.0.0.1:2002", configuration["Hub:Mqtt:Endpoint"]);
        Assert.Equal("https://file.example.org", configuration["Hub:PublicUrl"]);
        Assert.Equal(new HubSettings().StopTimeout, configuration.GetSection("Hub").Get<HubSettings>()!.StopTimeout);
    }

    [Fact]
    public void The_environment_names_every_key_and_some_in_short()
    {
        var data = _folder.File("elsewhere");
        var configuration = HubConfiguration.Build(
            [],
            null,
            Variables(("HUB_DATA", data), ("HUB_SERIES__FOLDER", "/series"), ("hub_http", "8081"), ("HUB_HTTP__CERTIFICATEFILE", "chain.pem"), ("HUB_AGENT_SECRET", "of an agent"), ("PATH", "/bin")));

        Assert.Equal(data, configuration["Hub:Data"]);
        Assert.Equal("/series", configuration["Hub:Series:Folder"]);
        Assert.Equal("127.0.0.1:8081", configuration["Hub:Http:Endpoint"]);
        Assert.Equal("chain.pem", configuration["Hub:Http:CertificateFile"]);
        Assert.DoesNotContain(configuration.AsEnumerable(), pair => pair.Value is "of an agent" or "/bin");
    }

    [Fact]
    public void What_Kubernetes_says_of_a_service_called_hub_is_no_setting()
    {
        var configuration = Build(
            [], ("HUB_PORT", "tcp://10.0.0.1:8080"), ("HUB_PORT_8080_TCP", "tcp://10.0.0.1:8080"), ("HUB_PORT_8080_TCP_ADDR", "10.0.0.1"), ("HUB_SERVICE_HOST", "10.0.0.1"),
            ("HUB_SERVICE_PORT", "8080"), ("HUB_SERVICE_PORT_HTTP", "8080"));
        Assert.DoesNotContain(configuration.AsEnumerable(), pair => pair.Value?.Contains("10.0.0.1", StringComparison.Ordinal) == true);
        Assert.Contains("HUB_PORTS", Line(() => Build([], ("HUB_PORTS", "1"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_short_name_wins_over_the_long_one_and_an_empty_one_is_not_set()
    {
        Assert.Equal("127.0.0.1:2", Build([], ("HUB_HTTP", "2"), ("HUB_HTTP__ENDPOINT", "1"))["Hub:Http:Endpoint"]);
        Assert.Equal("127.0.0.1:1", Build([], ("HUB_HTTP", ""), ("HUB_HTTP__ENDPOINT", "1"), ("HUB_DATA", ""), ("HUB_SETTINGS", ""))["Hub:Http:Endpoint"]);
    }

    [Fact]
    public void The_environment_of_the_process_is_read()
    {
        const string Variable = "HUB_PORTAL__TITLE";
        Environment.SetEnvironmentVariable(Variable, "seen");
        try
        {
            Assert.Equal("seen", HubConfiguration.Build([new("Hub:Data", _folder.Path)], null)["Hub:Portal:Title"]);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }

    [Fact]
    public void A_named_file_may_name_the_data_folder_and_keys_may_carry_the_prefix()
    {
        var data = _folder.File("of-the-file");
        var file = _folder.File("other.json");
        File.WriteAllText(file, $$$"""{"data": "{{{data}}}", "Hub": {"Series": {"QueriesMax": 3} } }""");

        foreach (var configuration in new[] { HubConfiguration.Build([], file, []), HubConfiguration.Build([], null, Variables(("HUB_SETTINGS", file))) })
        {
            Assert.Equal(data, configuration["Hub:Data"]);
            Assert.Equal("3", configuration["Hub:Series:QueriesMax"]);
        }
    }

    [Theory]
    [InlineData(true, "--settings")]
    [InlineData(false, "HUB_SETTINGS")]
    public void A_missing_named_file_is_one_line(bool commandLine, string mend)
    {
        var missing = _folder.File("missing.json");

        var line = Line(() => HubConfiguration.Build([new("Hub:Data", _folder.Path)], commandLine ? missing : null, commandLine ? [] : Variables(("HUB_SETTINGS", missing))));

        Assert.Contains(missing, line, StringComparison.Ordinal);
        Assert.Contains(mend, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", false)]
    [InlineData("{", true)]
    [InlineData("", true)]
    [InlineData("[1]", true)]
    [InlineData("{\"http\": }", true)]
    [InlineData("{\"a\": 1, \"a\": 2}", true)]
    public void A_malformed_file_is_one_line(string content, bool named)
    {
        var file = _folder.File("hub.json");
        File.WriteAllText(file, content);

        var line = Line(() => HubConfiguration.Build([new("Hub:Data", _folder.Path)], named ? file : null, []));

        Assert.Contains(file, line, StringComparison.Ordinal);
        Assert.Contains("Correct it", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unwritable_data_folder_is_one_line()
    {
        File.WriteAllText(_folder.File("file"), "");

        var line = Line(() => HubConfiguration.Build([new("Hub:Data", Path.Combine(_folder.File("file"), "data"))], null, []));

        Assert.Contains("--data", line, StringComparison.Ordinal);
        Assert.Contains("--data", Line(() => HubConfiguration.Build([new("Hub:Data", "")], null, [])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_folder_made_by_the_hub_is_its_owners_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
#pragma warning disable CA1416 // Skipped on Windows.
        var made = Path.Combine(_folder.File("above"), "data");
        var found = Directory.CreateDirectory(_folder.File("found"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead).FullName;

        HubConfiguration.Build([new("Hub:Data", made)], null, []);
        HubConfiguration.Build([new("Hub:Data", found)], null, []);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(made));
        Assert.True(File.GetUnixFileMode(found).HasFlag(UnixFileMode.GroupRead));
#pragma warning restore CA1416
        Assert.Empty(Directory.GetFileSystemEntries(made));
    }

    [Theory]
    [InlineData("8080", "127.0.0.1:8080")]
    [InlineData("0", "127.0.0.1:0")]
    [InlineData("localhost:80", "127.0.0.1:80")]
    [InlineData("0.0.0.0:443", "0.0.0.0:443")]
    [InlineData("[::1]:8080", "[::1]:8080")]
    public void Endpoints_in_every_form_are_the_same_to_every_stage(string text, string expected)
    {
        var configuration = Build([("Hub:Http:Endpoint", text), ("Hub:Mqtt:Endpoint", text)]);

        Assert.Equal(expected, configuration["Hub:Http:Endpoint"]);
        Assert.Equal(expected, configuration["Hub:Mqtt:Endpoint"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("here")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.1:80")]
    [InlineData("hub.example.org:80")]
    [InlineData("::1")]
    [InlineData("::1:8080")]
    [InlineData("[127.0.0.1]:80")]
    [InlineData("-1")]
    [InlineData(":80")]
    [InlineData("http://127.0.0.1:80")]
    public void A_malformed_endpoint_is_one_line(string text)
    {
        var line = Line(() => Build([("Hub:Http:Endpoint", text)]));

        Assert.Contains("Hub:Http:Endpoint", line, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:8080", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_MQTT_endpoint_stays_empty_for_a_broker_with_TLS_only() =>
        Assert.Equal("", Build([("Hub:Mqtt:Endpoint", "")])["Hub:Mqtt:Endpoint"]);

    [Fact]
    public void Every_address_and_port_is_read_as_written() => CsCheck.Check.Sample(
        CsCheck.Gen.Select(CsCheck.Gen.Byte, CsCheck.Gen.Byte, CsCheck.Gen.Byte, CsCheck.Gen.UShort),
        t =>
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{t.Item1}.{t.Item2}.{t.Item3}.1:{t.Item4}");
            Assert.Equal(text, HubConfiguration.ParseEndpoint(text, "key").ToString());
        },
        iter: 1000);

    [Theory]
    [InlineData("")]
    [InlineData("=1")]
    [InlineData("Hub:Series:QueriesMax")]
    public void A_malformed_set_is_one_line(string text)
    {
        var line = Line(() => HubCommand.ParseSet(text));
        Assert.Contains("KEY=VALUE", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Series:QueriesMax=3", "Hub:Series:QueriesMax", "3")]
    [InlineData("hub:Series:QueriesMax=3", "hub:Series:QueriesMax", "3")]
    [InlineData("PublicUrl=http://a/?b=c", "Hub:PublicUrl", "http://a/?b=c")]
    [InlineData("A=", "Hub:A", "")]
    public void A_set_is_key_and_value(string text, string key, string value) =>
        Assert.Equal(KeyValuePair.Create<string, string?>(key, value), HubCommand.ParseSet(text));

    [Fact]
    public void Secrets_are_hidden_by_name_and_paths_of_secret_files_are_shown()
    {
        string[] hidden = ["Hub:Mqtt:Readers:0:Secret", "Hub:Mqtt:Readers:0:SecretSha256", "Hub:Notifications:Mail:Smtp:Password", "Hub:Notifications:Sms:Headers:Authorization", "Hub:Notifications:Telegram:Token", "Hub:Some:AccessToken", "Hub:Some:APIKEY"];
        string[] shown = ["Hub:Mqtt:External:SecretFile", "Hub:Some:PasswordFile", "Hub:Http:KeyFile", "Hub:Http:Endpoint"];
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([.. hidden.Concat(shown).Append("Other").Select(key => KeyValuePair.Create<string, string?>(key, "xyz"))]).Build();

        var said = EffectiveSettings.Of(configuration).ToDictionary(pair => pair.Key, pair => pair.Value);

        Assert.Equal(hidden.Concat(shown).Order(), said.Keys.Order());
        Assert.All(hidden, key => Assert.Equal("(hidden)", said[key]));
        Assert.All(shown, key => Assert.Equal("xyz", said[key]));
    }

    private static IEnumerable<KeyValuePair<string, string?>> Variables(params (string Name, string Value)[] variables) =>
        variables.Select(v => KeyValuePair.Create<string, string?>(v.Name, v.Value));

    private static string Line(Action action)
    {
        var line = Assert.Throws<StartException>(action).Message;
        Assert.DoesNotContain('\n', line);
        return line;
    }

    private IConfigurationRoot Build((string Key, string Value)[] given, params (string Name, string Value)[] variables) =>
        HubConfiguration.Build(given.Append(("Hub:Data", _folder.Path)).Select(g => KeyValuePair.Create<string, string?>(g.Item1, g.Item2)), null, Variables(variables));
}
