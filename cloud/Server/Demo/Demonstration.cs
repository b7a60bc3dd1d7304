using System.Diagnostics;
using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Demo;

/// <summary>
/// <c>hub demo</c>: the same hub, with three municipalities whose stations are real agent programs replaying published measurements, and subscribers that show
/// what they receive. Everything it needs is in firmware-config/demo; what it remembers is in <c>demo/</c> of the data folder.
/// </summary>
internal static class Demonstration
{
    private static readonly (string User, Role Role, string? Municipality)[] People =
    [
        ("admin", Role.Administrator, null),
        ("operador.braga", Role.Operator, "braga"),
        ("leitor.evora", Role.Viewer, "evora"),
    ];

    /// <summary>Runs until Ctrl-C, SIGTERM or <paramref name="stop"/>.</summary>
    /// <param name="configuration">Settings.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<int> RunAsync(IConfigurationRoot configuration, CancellationToken stop)
    {
        var span = ParseHistory(configuration["Hub:Demo:History"] ?? "7d");
        var files = DemoFiles.Read(Path.Combine(AppContext.BaseDirectory, "demo"));
        var folder = Path.Combine(configuration["Hub:Data"]!, "demo");
        Directory.CreateDirectory(folder);
        var stateFile = Path.Combine(folder, "demo.json");
        var time = TimeProvider.System;
        var state = DemoState.Load(stateFile, time.GetUtcNow().UtcDateTime);
        state.Save(stateFile);

        // The receiver is on this machine; a hub of a municipality refuses such targets.
        configuration["Hub:Notifications:Webhook:AllowPrivateTargets"] = "true";

        // Nobody is to act on what a demonstration tells.
        configuration["Hub:Notifications:Cap:Status"] = "Exercise";

        // Links in mails of a demonstration work on this machine, where whoever tries it reads them.
        configuration["Hub:Notifications:SignUp:Enabled"] ??= "true";
        configuration["Hub:Mqtt:Readers:0:User"] = "demo";
        configuration["Hub:Mqtt:Readers:0:Secret"] = state.ReaderSecret;
        foreach (var (municipality, index) in files.Municipalities.Select((m, i) => (m, i)))
        {
            configuration[string.Create(CultureInfo.InvariantCulture, $"Hub:Mqtt:Readers:0:Municipalities:{index}")] = municipality.Slug;
        }

        await using var receiver = await WebhookReceiver.StartAsync(state.WebhookSecret, Path.Combine(folder, "webhook"), time, DemoTerminal.Say, stop);
        await using var app = await HubHost.StartAsync(
            configuration,
            services => services.Configure<Microsoft.Extensions.Logging.LoggerFilterOptions>(log => log.AddFilter("Hub", LogLevel.Warning)),
            stop,
            async (services, cancellation) =>
            {
                await SeedAsync(services, files, state, receiver.Address, cancellation);
                state.Save(stateFile);
            });

        DemoTerminal.Welcome(app, configuration, state, files, People.Select(p => p.User));
        var mqtt = configuration["Hub:Mqtt:Endpoint"] ?? "127.0.0.1:1883";
        var agents = new List<AgentProcess>();
        Task? left = null;
        try
        {
            foreach (var station in files.Stations)
            {
                agents.Add(StartAgent(station, state, span, mqtt, folder, time));
            }

            // The agents stop beside the hub and not after it: one time budget instead of two, and a broker to say goodbye to.
            await using var leave = app.Lifetime.ApplicationStopping.Register(() => left = LeaveAsync(agents));
            using var progress = new CancellationTokenSource();
            var drain = DemoTerminal.ShowDrainAsync(app.Services, files, () => receiver.Past, time, progress.Token);
            await HubHost.WaitAsync(app, stop);
            await progress.CancelAsync();
            await drain;
        }
        finally
        {
            await (left ?? LeaveAsync(agents));
        }

        return 0;
    }

    private static Task LeaveAsync(IEnumerable<AgentProcess> agents) => Task.WhenAll(agents.Select(agent => agent.DisposeAsync().AsTask()));

    /// <summary>Puts municipalities, stations, people, rules and subscribers into the stores; changes nothing that is there.</summary>
    internal static async Task SeedAsync(IServiceProvider services, DemoFiles files, DemoState state, string webhook, CancellationToken stop)
    {
        var municipalities = services.GetRequiredService<IMunicipalities>();
        foreach (var municipality in files.Municipalities)
        {
            await municipalities.SaveAsync(
                new Municipality(municipality.Slug, municipality.Name, municipality.Region, municipality.Code, municipality.Latitude, municipality.Longitude, municipality.Zone), stop);
        }

        await SeedStationsAsync(services.GetRequiredService<IStations>(), files, state, stop);
        await SeedPeopleAsync(services, state, stop);
        var alerts = services.GetRequiredService<IAlerts>();
        foreach (var rule in files.Rules)
        {
            var wanted = new Rule(
                rule.Municipality, rule.Slug, rule.NamePt, rule.NameEn, Enum.Parse<Severity>(rule.Severity, ignoreCase: true), rule.Property, rule.Station, rule.Sensor,
                rule.PeriodSeconds, Enum.Parse<Crossing>(rule.Crossing, ignoreCase: true), rule.SetLevel, rule.ClearLevel, rule.For);
            if (!alerts.Rules(rule.Municipality).Contains(wanted))
            {
                await alerts.SaveAsync(wanted, stop);
            }
        }

        await SeedSubscribersAsync(services.GetRequiredService<INotifications>(), files, state, webhook, stop);
    }

    private static async Task SeedStationsAsync(IStations stations, DemoFiles files, DemoState state, CancellationToken stop)
    {
        foreach (var file in files.Stations)
        {
            var key = $"{file.Municipality}/{file.Station}";
            if (!stations.TryGet(file.Municipality, file.Station, out var station))
            {
                (_, state.StationSecrets[key]) = await stations.RegisterAsync(
                    new StationRegistration(file.Municipality, file.Station, file.Name, file.Location.Latitude, file.Location.Longitude, Public: true, file.Attribution), stop);
            }
            else if (!state.StationSecrets.ContainsKey(key))
            {
                state.StationSecrets[key] = await stations.RotateSecretAsync(station.Id, TimeSpan.Zero, stop);
            }
        }
    }

    private static async Task SeedPeopleAsync(IServiceProvider services, DemoState state, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var people = scope.ServiceProvider.GetRequiredService<IPeople>();
        foreach (var (user, role, municipality) in People)
        {
            if (state.Passwords.ContainsKey(user))
            {
                continue;
            }

            try
            {
                state.Passwords[user] = await people.AddAsync(user, null, role, municipality, stop);
            }
            catch (ArgumentException)
            {
                // The data folder had this person before the demonstration lost its memory.
                state.Passwords[user] = await people.ResetPasswordAsync(user, null, stop);
            }
        }
    }

    private static async Task SeedSubscribersAsync(INotifications notifications, DemoFiles files, DemoState state, string webhook, CancellationToken stop)
    {
        foreach (var municipality in files.Municipalities)
        {
            var existing = await notifications.SubscribersAsync(municipality.Slug, stop);
            Subscriber[] wanted =
            [
                new(0, municipality.Slug, ChannelKind.Mail, "demo@example.org", "pt", null, Severity.Information, ""),
                new(0, municipality.Slug, ChannelKind.Webhook, webhook, "en", null, Severity.Information, state.WebhookSecret),
                new(0, municipality.Slug, ChannelKind.Mqtt, "", "pt", null, Severity.Information, ""),
            ];
            foreach (var subscriber in wanted)
            {
                // The receiver's port is a new one at each start.
                var known = existing.FirstOrDefault(s => s.Channel == subscriber.Channel);
                await notifications.SaveAsync(subscriber with { Id = known?.Id ?? 0 }, stop);
            }
        }
    }

    private static AgentProcess StartAgent(DemoStation station, DemoState state, string history, string mqtt, string folder, TimeProvider time)
    {
        var data = Path.Combine(folder, "agents", station.Municipality, station.Station);
        Directory.CreateDirectory(data);
        return new AgentProcess(
            $"{station.Municipality}/{station.Station}",
            () =>
            {
                var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet");
                var program = Path.Combine(AppContext.BaseDirectory, "agent", "hub-agent");
                if (File.Exists(program))
                {
                    start = new ProcessStartInfo(program);
                }
                else
                {
                    start.ArgumentList.Add(program + ".dll");
                }

                foreach (var argument in (string[])
                    ["run", "--station-file", station.File, "--data", data, "--hub", mqtt, "--anchor", state.StartedAt.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), "--history", history, "--exit-with-stdin"])
                {
                    start.ArgumentList.Add(argument);
                }

                start.Environment["HUB_AGENT_SECRET"] = state.StationSecrets[$"{station.Municipality}/{station.Station}"];
                return start;
            },
            Path.Combine(data, "agent.log"),
            time);
    }

    /// <summary>Reads <c>7d</c> or <c>all</c> into what the agent's <c>--history</c> takes.</summary>
    internal static string ParseHistory(string text)
    {
        if (text.Equals("all", StringComparison.OrdinalIgnoreCase))
        {
            return "all";
        }

        var days = text.EndsWith('d') ? text[..^1] : text;
        return int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 0 and <= 3660
            ? TimeSpan.FromDays(count).ToString("c", CultureInfo.InvariantCulture)
            : throw new StartException($"--history is '{text}': expected days such as 7d, or all.");
    }
}
