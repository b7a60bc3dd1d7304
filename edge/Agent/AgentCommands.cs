using System.Collections;
using System.CommandLine;
using Hub.Edge.Claiming;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Agent;

/// <summary>The command line: verbs, options, exit codes. 0 done, 1 failed at work, 2 a setting, file or folder is wrong, 3 stopped to be started again, 4 a new agent failed its trial.</summary>
internal static class AgentCommands
{
    public const int Failed = 1;
    public const int Misconfigured = 2;

    /// <summary>Stopped in good order, and to be started again by the service manager.</summary>
    public const int AgainWanted = 3;

    /// <summary>Parses and does what the arguments say.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="output">What was asked for.</param>
    /// <param name="error">What went wrong, a line each.</param>
    /// <param name="cancellationToken">Ends <c>run</c> as a signal would.</param>
    public static Task<int> InvokeAsync(string[] arguments, IDictionary environment, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        var result = Root(environment, output, error).Parse(arguments);
        return InvokeAsync();

        async Task<int> InvokeAsync()
        {
            if (result.Errors.Count > 0)
            {
                foreach (var mistake in result.Errors)
                {
                    await error.WriteLineAsync($"hub-agent: {mistake.Message} See hub-agent --help.").ConfigureAwait(false);
                }

                return Misconfigured;
            }

            return await result.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
        }
    }

    private static RootCommand Root(IDictionary environment, TextWriter output, TextWriter error)
    {
        var stationFile = new Option<string>("--station-file", "-f")
        {
            Description = "The station file (YAML). Its schema: hub-agent schema.", DefaultValueFactory = _ => AgentArguments.StationFileDefault, HelpName = "FILE",
        };
        var data = new Option<string?>("--data")
        {
            Description = "Folder of what the agent writes: outbox, calibrations, status. Default: agent-data beside the station file.", HelpName = "DIR",
        };
        var hub = new Option<string?>("--hub") { Description = "Where the hub is, instead of hub.address and hub.port of the station file.", HelpName = "HOST:PORT" };
        var secretFile = new Option<string?>("--secret-file") { Description = "File whose first line is the station's secret. Or the environment variable HUB_AGENT_SECRET.", HelpName = "FILE" };
        var anchor = new Option<string?>("--anchor") { Description = "Replays: the instant of the first start, the same at every start, e.g. 2026-11-22T15:04:05Z.", HelpName = "INSTANT" };
        var history = new Option<string?>("--history") { Description = "Replays: how far back the backlog of the first start goes, e.g. 7.00:00:00, or all.", HelpName = "DURATION" };
        var logLevel = new Option<string?>("--log-level") { Description = "trace, debug, information (default), warning, error, critical or none.", HelpName = "LEVEL" };
        var set = new Option<string[]>("--set") { Description = "Any setting of the station file, e.g. uplink.window=4. May be given several times. Not for secrets.", HelpName = "KEY=VALUE" };
        var exitWithStdin = new Option<bool>("--exit-with-stdin") { Description = "Stop when standard input closes, so that a parent that dies takes its agents along." };
        Option[] settings = [stationFile, data, hub, secretFile, anchor, history, logLevel, set];

        var run = new Command("run", "Read the sensors and send to the hub until stopped (default).");
        var check = new Command("check", "Check a station file and print the settings in force.");
        var status = new Command("status", "Print the counters of the agent that uses a data folder.");
        var list = new Command("sensors", "List what is wired to this machine, which kinds of sensor it may be, what to write into the station file, and which profiles fit.");
        var test = new Command("test", "Read one sensor of the station file and print its values with units; nothing is stored or sent.");
        var sensor = new Option<string?>("--sensor") { Description = "Name of the sensor in the station file; may be left out where there is only one.", HelpName = "NAME" };
        var count = new Option<int?>("--count") { Description = "Stop after so many looks. Default: until Ctrl-C.", HelpName = "N" };
        var claim = new Command("claim", "Make this machine the station an operator has made a claim code for: writes station file, secret and authority.");
        var pages = new Option<string>("--hub") { Description = "Where the hub's pages are.", HelpName = "https://HOST", Required = true };
        var code = new Option<string?>("--code") { Description = "The claim code, e.g. 7K3M-Q9XT-2HWB: good once, for some days.", HelpName = "CODE" };
        var codeFile = new Option<string?>("--code-file") { Description = "File whose first line is the code, instead of --code.", HelpName = "FILE" };
        var profile = new Option<string?>("--profile") { Description = "Profile to begin with: a name or a file. Default: the one the operator chose.", HelpName = "PROFILE" };
        var profiles = new Option<string>("--profiles") { Description = $"Folder of the profiles. Default: {ClaimCommand.ProfilesDefault}", HelpName = "DIR", DefaultValueFactory = _ => ClaimCommand.ProfilesDefault };
        var authority = new Option<string?>("--ca") { Description = "PEM file with the only authorities believed for the hub's pages.", HelpName = "FILE" };
        var patience = new Option<TimeSpan>("--wait") { Description = "How long a hub out of reach is tried again, e.g. 01:00:00. Default: once only.", HelpName = "DURATION" };
        var force = new Option<bool>("--force") { Description = "Write over a station file that is there; it is kept with .before behind its name." };
        var schema = new Command("schema", "Print the JSON Schema of the station file.");
        var root = new RootCommand(
            "Station agent of Hub: reads sensors, keeps the readings on disk, sends them to the hub over MQTT.\n\n"
            + "Settings: command line over environment over station file over defaults. Environment: HUB_AGENT_SECRET, HUB_AGENT_SECRET_FILE, HUB_AGENT_DATA, HUB_AGENT_HUB, "
            + "HUB_AGENT_ANCHOR, HUB_AGENT_HISTORY, HUB_AGENT_LOG_LEVEL, and any key of the station file with __ between its parts: HUB_AGENT_uplink__window=4.\n\n"
            + "Exit codes: 0 stopped, 1 failed, 2 a setting, file or folder is wrong, 3 stopped to be started again by the service manager, 4 a new agent failed its trial.")
        {
            run, check, claim, list, test, CalibrateOptions.Make(settings, sensor, Arguments, environment, output, error), status, schema,
        };
        foreach (var option in settings)
        {
            root.Add(option);
            run.Add(option);
            check.Add(option);
            test.Add(option);
        }

        test.Add(sensor);
        test.Add(count);

        claim.Add(stationFile);
        foreach (var option in (Option[])[pages, code, codeFile, profile, profiles, authority, patience, force])
        {
            claim.Add(option);
        }

        claim.Validators.Add(result =>
        {
            if (result.GetValue(code) is null == result.GetValue(codeFile) is null)
            {
                result.AddError("Give either --code or --code-file.");
            }
        });
        claim.SetAction((parsed, cancellationToken) => GuardAsync(error, () => ClaimCommand.RunAsync(
            new ClaimingOptions
            {
                Hub = parsed.GetValue(pages)!,
                Code = parsed.GetValue(code) ?? File.ReadLines(parsed.GetValue(codeFile)!).FirstOrDefault() ?? "",
                StationFile = parsed.GetValue(stationFile)!,
                Agent = AgentHost.Version,
                Profile = parsed.GetValue(profile),
                ProfilesFolder = parsed.GetValue(profiles),
                AuthorityFile = parsed.GetValue(authority),
                Force = parsed.GetValue(force),
                Patience = parsed.GetValue(patience),
                Check = static _ => [],
            },
            environment, TimeProvider.System, output, error, cancellationToken)));

        root.Add(exitWithStdin);
        run.Add(exitWithStdin);
        status.Add(data);
        root.SetAction((parsed, cancellationToken) => RunAsync(Arguments(parsed), environment, error, cancellationToken));
        run.SetAction((parsed, cancellationToken) => RunAsync(Arguments(parsed), environment, error, cancellationToken));
        check.SetAction(parsed => Guard(error, () => Check(Arguments(parsed), environment, output)));
        list.Add(profiles);
        list.SetAction((parsed, cancellationToken) => Task.FromResult(Guard(error, () => SensorCommands.List(BusInventory.OfThisMachine(TimeProvider.System), StationProfile.Of(parsed.GetValue(profiles)!), output, cancellationToken))));
        test.SetAction((parsed, cancellationToken) => TestAsync(Arguments(parsed), parsed.GetValue(sensor), parsed.GetValue(count) ?? 0, environment, output, error, cancellationToken));
        status.SetAction(parsed => StatusReader.Print(Path.GetFullPath(parsed.GetValue(data) ?? (string?)environment["HUB_AGENT_DATA"] ?? "agent-data"), output, error));
        schema.SetAction(_ =>
        {
            output.Write(StationSchema.Text());
            return 0;
        });
        return root;

        AgentArguments Arguments(ParseResult parsed) => new()
        {
            StationFile = parsed.GetValue(stationFile)!,
            Data = parsed.GetValue(data),
            Hub = parsed.GetValue(hub),
            SecretFile = parsed.GetValue(secretFile),
            Anchor = parsed.GetValue(anchor),
            History = parsed.GetValue(history),
            LogLevel = parsed.GetValue(logLevel),
            Settings = parsed.GetValue(set) ?? [],
            ExitWithStdin = parsed.GetValue(exitWithStdin),
        };
    }

    private static int Check(AgentArguments arguments, IDictionary environment, TextWriter output)
    {
        var configuration = AgentConfiguration.Build(arguments, environment, Environment.CurrentDirectory);
        using var host = AgentHost.Build(configuration, TimeProvider.System);
        foreach (var line in EffectiveSettings.List(configuration).Concat(configuration.Warnings))
        {
            output.WriteLine(line);
        }

        output.WriteLine($"{arguments.StationFile}: good.");
        return 0;
    }

    private static async Task<int> TestAsync(
        AgentArguments arguments, string? sensor, int count, IDictionary environment, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            var configuration = AgentConfiguration.Build(arguments, environment, Environment.CurrentDirectory);
            return await SensorCommands.TestAsync(configuration, sensor, count, null, TimeProvider.System, output, error, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // As below.
        catch (Exception e)
        {
            return Report(e, error);
        }
#pragma warning restore CA1031
    }

    private static async Task<int> RunAsync(AgentArguments arguments, IDictionary environment, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            using var run = new AgentRun(arguments, environment, Environment.CurrentDirectory, TimeProvider.System, Supervisor.IsPresent());
            return await run.RunAsync(arguments.ExitWithStdin ? Console.OpenStandardInput() : null, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The last place: whatever it is becomes a line and an exit code.
        catch (Exception e)
        {
            return Report(e, error);
        }
#pragma warning restore CA1031
    }

    private static async Task<int> GuardAsync(TextWriter error, Func<Task<int>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
        {
            return Report(e, error);
        }
#pragma warning restore CA1031
    }

    private static int Guard(TextWriter error, Func<int> action)
    {
        try
        {
            return action();
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
        {
            return Report(e, error);
        }
#pragma warning restore CA1031
    }

    internal static int Report(Exception e, TextWriter error)
    {
        switch (e)
        {
            case ConfigurationException configuration:
                foreach (var message in configuration.Messages)
                {
                    error.WriteLine($"hub-agent: {message}");
                }

                return Misconfigured;
            case Microsoft.Extensions.Options.OptionsValidationException options:
                foreach (var failure in options.Failures)
                {
                    error.WriteLine($"hub-agent: {failure}");
                }

                return Misconfigured;
            case OutboxUnavailableException:
                error.WriteLine($"hub-agent: {e.Message}");
                return Misconfigured;
            case IOException or UnauthorizedAccessException:
                error.WriteLine($"hub-agent: {e.Message.ReplaceLineEndings(" ")}");
                return Misconfigured;
            default:
                error.WriteLine($"hub-agent: stopped by a fault: {e}".ReplaceLineEndings(" "));
                return Failed;
        }
    }
}
