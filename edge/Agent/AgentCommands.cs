using System.Collections;
using System.CommandLine;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Agent;

/// <summary>The command line: verbs, options, exit codes. 0 done, 1 failed at work, 2 a setting, file or folder is wrong.</summary>
internal static class AgentCommands
{
    public const int Failed = 1;
    public const int Misconfigured = 2;

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
            Description = "Folder of what the agent writes: outbox, status. Default: agent-data beside the station file.", HelpName = "DIR",
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
        var list = new Command("sensors", "List what is wired to this machine, which kinds of sensor it may be, and what to write into the station file.");
        var test = new Command("test", "Read one sensor of the station file and print its values with units; nothing is stored or sent.");
        var sensor = new Option<string?>("--sensor") { Description = "Name of the sensor in the station file; may be left out where there is only one.", HelpName = "NAME" };
        var count = new Option<int?>("--count") { Description = "Stop after so many looks. Default: until Ctrl-C.", HelpName = "N" };
        var schema = new Command("schema", "Print the JSON Schema of the station file.");
        var root = new RootCommand(
            "Station agent of Hub: reads sensors, keeps the readings on disk, sends them to the hub over MQTT.\n\n"
            + "Settings: command line over environment over station file over defaults. Environment: HUB_AGENT_SECRET, HUB_AGENT_SECRET_FILE, HUB_AGENT_DATA, HUB_AGENT_HUB, "
            + "HUB_AGENT_ANCHOR, HUB_AGENT_HISTORY, HUB_AGENT_LOG_LEVEL, and any key of the station file with __ between its parts: HUB_AGENT_uplink__window=4.\n\n"
            + "Exit codes: 0 stopped, 1 failed, 2 a setting, file or folder is wrong.")
        {
            run, check, list, test, status, schema,
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

        root.Add(exitWithStdin);
        run.Add(exitWithStdin);
        status.Add(data);
        root.SetAction((parsed, cancellationToken) => RunAsync(Arguments(parsed), environment, error, cancellationToken));
        run.SetAction((parsed, cancellationToken) => RunAsync(Arguments(parsed), environment, error, cancellationToken));
        check.SetAction(parsed => Guard(error, () => Check(Arguments(parsed), environment, output)));
        list.SetAction((_, cancellationToken) => Task.FromResult(Guard(error, () => SensorCommands.List(BusInventory.OfThisMachine(TimeProvider.System), output, cancellationToken))));
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
        foreach (var line in AgentHost.List(host.Services, configuration).Concat(configuration.Warnings))
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
            var configuration = AgentConfiguration.Build(arguments, environment, Environment.CurrentDirectory);
            Directory.CreateDirectory(configuration.Data);
            var host = AgentHost.Build(configuration, TimeProvider.System);
            await AgentHost.RunAsync(host, configuration, arguments.ExitWithStdin ? Console.OpenStandardInput() : null, cancellationToken).ConfigureAwait(false);
            return 0;
        }
#pragma warning disable CA1031 // The last place: whatever it is becomes a line and an exit code.
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

    private static int Report(Exception e, TextWriter error)
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
