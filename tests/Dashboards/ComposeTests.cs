using System.Text.RegularExpressions;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using YamlDotNet.RepresentationModel;

namespace Hub.Tests.Dashboards;

/// <summary>compose.yaml, read as a person would before starting it: there is no Docker where the tests run.</summary>
public sealed partial class ComposeTests
{
    private const string File = "compose.yaml";
    private static readonly string Text = Repository.Read(File);
    private static readonly YamlMappingNode Compose = Provisioned.Load(File);

    private static IEnumerable<KeyValuePair<string, YamlMappingNode>> Services => Named("services");

    [Fact]
    public void It_starts_the_whole_city() =>
        Assert.Superset(new HashSet<string> { "hub", "mosquitto", "influxdb", "postgres", "prometheus", "grafana" }, Services.Select(service => service.Key).ToHashSet());

    [Fact]
    public void Every_image_has_a_version() => Assert.All(Services, service =>
    {
        var image = service.Value.Text("image");
        Assert.Matches(@"^[a-z0-9./-]+:v?\d+(\.\d+){1,2}$", image);
    });

    [Fact]
    public void Every_service_that_stays_has_a_health_check() => Assert.All(Services, service =>
    {
        var check = service.Value.At("healthcheck");
        if (service.Value.Text("restart") == "no")
        {
            Assert.Equal("true", check.Text("disable"));
            return;
        }

        Assert.Equal("CMD", ((YamlScalarNode)((YamlSequenceNode)check.Children["test"])[0]).Value);
    });

    [Fact]
    public void What_a_service_waits_for_is_there_and_tells_what_is_waited_for()
    {
        foreach (var (name, service) in Services.Where(service => service.Value.Children.ContainsKey("depends_on")))
        {
            Assert.All(service.At("depends_on").Children, one =>
            {
                var other = Services.Single(candidate => candidate.Key == ((YamlScalarNode)one.Key).Value);
                var condition = ((YamlMappingNode)one.Value).Text("condition");
                Assert.True(condition == (other.Value.Text("restart") == "no" ? "service_completed_successfully" : "service_healthy"), $"{name} waits for {other.Key} to be {condition}");
            });
        }
    }

    [Fact]
    public void Every_volume_file_and_secret_it_names_is_there()
    {
        var volumes = Named("volumes", all: false).Select(volume => volume.Key).ToHashSet();
        var secrets = Named("secrets").Select(secret => secret.Key).ToHashSet();
        var used = new HashSet<string>();
        foreach (var (name, service) in Services)
        {
            foreach (var mount in Scalars(service, "volumes").Select(mount => mount.Split(':')[0]))
            {
                Assert.True(mount.StartsWith('/') || (mount.StartsWith("./", StringComparison.Ordinal) ? Path.Exists(Path.Combine(Repository.Root, mount)) : volumes.Contains(mount)), $"{name}: {mount}");
                used.Add(mount);
            }

            foreach (var secret in Scalars(service, "secrets"))
            {
                Assert.True(secrets.Contains(secret), $"{name}: {secret}");
                used.Add(secret);
            }

            // What a service reads it has been given, and what it has been given it reads: itself, by its own configuration, or by the provisioning it mounts.
            var read = Mounted(service).Append(Everything(service)).SelectMany(text => SecretPath().Matches(text)).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(Scalars(service, "secrets").Order(StringComparer.Ordinal), read);
            if (service.Children.TryGetValue("build", out var build))
            {
                Assert.True(System.IO.File.Exists(Path.Combine(Repository.Root, ((YamlMappingNode)build).Text("dockerfile"))), $"{name} has no such Dockerfile");
            }
        }

        Assert.Empty(volumes.Concat(secrets).Except(used));
    }

    [Fact]
    public void Every_variable_has_a_default_and_is_explained()
    {
        var explained = Text[..Text.IndexOf("\nname:", StringComparison.Ordinal)];
        var variables = Substitution().Matches(Text.Replace("$$", "", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(variables);
        Assert.All(variables, variable =>
        {
            Assert.True(variable.Groups[2].Success, $"{variable.Value} has no default");
            Assert.Contains(variable.Groups[1].Value, explained, StringComparison.Ordinal);
            Assert.Contains(variable.Groups[3].Value, explained, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void No_password_is_written_down()
    {
        Assert.All(Services.SelectMany(service => Environment(service.Value)), variable => Assert.True(
            !Secretive().IsMatch(variable.Key) || variable.Value.StartsWith("/run/secrets/", StringComparison.Ordinal), $"{variable.Key} is written in {File}"));
        Assert.Contains("dashboards/secrets", Repository.Read("cloud/Server/Dockerfile.dockerignore"), StringComparison.Ordinal);
        Assert.DoesNotContain(Repository.Files, file => file.StartsWith("dashboards/secrets/", StringComparison.Ordinal));
    }

    [Fact]
    public void Grafana_is_given_all_that_its_provisioning_reads()
    {
        var given = Environment(Services.Single(service => service.Key == "grafana").Value);
        foreach (var text in Repository.Files.Where(file => file.StartsWith(Provisioned.Folder, StringComparison.Ordinal)).Select(Repository.Read))
        {
            // Without comments; $$ is a dollar, $__file{} Grafana's own.
            var asked = ProvisionedVariable().Matches(string.Join('\n', text.Split('\n').Where(line => !line.TrimStart().StartsWith('#'))).Replace("$$", "", StringComparison.Ordinal)).Select(match => match.Groups[1].Value);
            Assert.All(asked, name => Assert.Contains(name, given.Keys));
        }
    }

    [Fact]
    public void Data_sources_ask_services_that_are_there_at_their_ports()
    {
        var given = Environment(Services.Single(service => service.Key == "grafana").Value);
        var prometheus = Services.Single(service => service.Key == "prometheus").Value;
        Assert.Equal("service:hub", prometheus.Text("network_mode"));
        foreach (var address in (string[])["HUB_URL", "HUB_SERIES_URL", "HUB_PROMETHEUS_URL"])
        {
            var uri = new Uri(Substitution().Replace(given[address], match => match.Groups[3].Value));
            Assert.Contains(Services, service => service.Key == uri.Host);
        }

        Assert.Equal("0.0.0.0:8443", Environment(Services.Single(service => service.Key == "hub").Value)["HUB_HTTP"]);
        Assert.Contains("127.0.0.1:8443", Repository.Read("dashboards/prometheus/prometheus.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_secrets_it_needs_are_made_and_the_brokers_command_and_the_hubs_settings_work_with_them()
    {
        using var folder = new TempFolder();
        var secrets = folder.File("secrets");
        await using (var make = new RunningProgram("bash", [Path.Combine(Repository.Root, "dashboards", "make-secrets"), "hub.example.org"], new Dictionary<string, string> { ["HUB_SECRETS"] = secrets }))
        {
            Assert.True(await make.ExitAsync() == 0, make.Output);
        }

        foreach (var (name, secret) in Named("secrets"))
        {
            Assert.Equal($"./dashboards/secrets/{name}", secret.Text("file"));
            Assert.True(new FileInfo(Path.Combine(secrets, name)).Length >= 64, name);
        }

        // The hub's tables, and a tool's, are on a PostgreSQL with that password.
        await using var postgres = await PostgreSqlServer.StartNewAsync(isDurable: false, (await System.IO.File.ReadAllTextAsync(Path.Combine(secrets, "postgres_hub_password"))).Trim());
        var database = Environment(Services.Single(service => service.Key == "hub").Value)["HUB_DATABASE"].Replace("Host=postgres;", $"Host=127.0.0.1;Port={postgres.Port};", StringComparison.Ordinal);
        Assert.Contains("Host=127.0.0.1", database, StringComparison.Ordinal);

        // The hub's container writes the broker's accounts, as its command says.
        await using var hub = new HubProgram(folder.File("data"));
        await hub.WriteSettingsAsync(System.Text.Json.JsonSerializer.Serialize(new { database, databasePasswordFile = Path.Combine(secrets, "postgres_hub_password") }));
        await hub.ToolAsync("station", "mosquitto", "--out", folder.File("broker"), "--hub-secret-file", Path.Combine(secrets, "broker_hub_password"));

        // Mosquitto by its command line, with its paths on this machine.
        var port = FreePort.Next();
        var command = Scalars(Services.Single(service => service.Key == "mosquitto").Value, "command").Last().Replace("$$", "$", StringComparison.Ordinal)
            .Replace("/mosquitto/config/hub.conf", Path.Combine(Repository.Root, "firmware-config", "broker", "mosquitto.conf"), StringComparison.Ordinal)
            .Replace("/tmp/mosquitto.conf", folder.File("mosquitto.conf"), StringComparison.Ordinal)
            .Replace("/run/secrets/", secrets + "/", StringComparison.Ordinal)
            .Replace("!/broker/", $"!{folder.File("broker")}/", StringComparison.Ordinal)
            .Replace("!/mosquitto/data/!", $"!{folder.File("persistence")}/!", StringComparison.Ordinal)
            .Replace("exec mosquitto", "exec /usr/sbin/mosquitto", StringComparison.Ordinal)
            .Replace(@"-e 's/^# \(listener 8883\)/\1/'", $"-e 's/^# listener 8883.*/listener {port} 127.0.0.1/' -e '$a user {System.Environment.UserName}'", StringComparison.Ordinal);
        Assert.Contains($"listener {port}", command, StringComparison.Ordinal);
        Directory.CreateDirectory(folder.File("persistence"));
        await using var mosquitto = new RunningProgram("/bin/sh", ["-c", command]);

        // The hub by its environment, with the store in itself.
        foreach (var (name, value) in Environment(Services.Single(service => service.Key == "hub").Value))
        {
            var key = "Hub:" + name["HUB_".Length..].Replace("__", ":", StringComparison.Ordinal);
            if (!key.Equals("Hub:Http", StringComparison.OrdinalIgnoreCase) && !key.StartsWith("Hub:Http:", StringComparison.OrdinalIgnoreCase))
            {
                hub.Set(key, Substitution().Replace(value, match => match.Groups[3].Value).Replace("mosquitto:8883", $"localhost:{port}", StringComparison.Ordinal).Replace("Host=postgres;", $"Host=127.0.0.1;Port={postgres.Port};", StringComparison.Ordinal).Replace("/run/secrets/", secrets + "/", StringComparison.Ordinal));
            }
        }

        hub.Set("HUB:SERIES:STORE", "Embedded");
        await hub.StartAsync();
        await Eventually.TrueAsync(() => mosquitto.HasExited ? throw new InvalidOperationException(mosquitto.Output) : mosquitto.Output.Contains("as hub-1", StringComparison.Ordinal), "the hub is a client of the broker, over TLS");
    }

    private static IEnumerable<KeyValuePair<string, YamlMappingNode>> Named(string key, bool all = true) =>
        Compose.At(key).Children.Select(one => KeyValuePair.Create(((YamlScalarNode)one.Key).Value!, one.Value as YamlMappingNode ?? (all ? throw new InvalidOperationException($"{one.Key} has nothing") : [])));

    private static IEnumerable<string> Scalars(YamlMappingNode service, string key) =>
        service.Children.TryGetValue(key, out var list) ? ((YamlSequenceNode)list).Children.Cast<YamlScalarNode>().Select(one => one.Value!) : [];

    private static Dictionary<string, string> Environment(YamlMappingNode service) =>
        service.Children.TryGetValue("environment", out var variables) ? ((YamlMappingNode)variables).Children.ToDictionary(one => ((YamlScalarNode)one.Key).Value!, one => ((YamlScalarNode)one.Value).Value!) : [];

    private static string Everything(YamlMappingNode service) => string.Join('\n', service.AllNodes.OfType<YamlScalarNode>().Select(node => node.Value));

    /// <summary>Files of the repository that a service mounts as its configuration.</summary>
    private static IEnumerable<string> Mounted(YamlMappingNode service) =>
        from mount in Scalars(service, "volumes")
        let path = mount.Split(':')[0]
        where path.StartsWith("./dashboards/", StringComparison.Ordinal) && !path.EndsWith("/dashboards", StringComparison.Ordinal)
        from file in Repository.Files
        where file.StartsWith(path[2..] + "/", StringComparison.Ordinal)
        select Repository.Read(file);

    [GeneratedRegex(@"/run/secrets/(\w+)")]
    private static partial Regex SecretPath();

    [GeneratedRegex(@"\$\{(\w+)(:?-([^}]*))?\}")]
    private static partial Regex Substitution();

    [GeneratedRegex(@"\$\{?(HUB_\w+)")]
    private static partial Regex ProvisionedVariable();

    [GeneratedRegex("PASSWORD|SECRET|TOKEN|KEY", RegexOptions.IgnoreCase)]
    private static partial Regex Secretive();
}
