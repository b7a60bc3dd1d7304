using System.CommandLine;
using System.CommandLine.Invocation;
using Hub.Cloud.Server.Demo;
using Hub.Cloud.Server.Tools;
using Hub.Cloud.Server.Tools.Backup;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server;

/// <summary>The command line of <c>hub</c>: verbs, settings, help and exit codes (0 done, 1 failed or stopped, 2 wrong setting or machine not ready, 3 done and some of it refused).</summary>
internal static class HubCommand
{
    private static readonly Option<string?> Data = new("--data") { Description = "Folder of everything the hub stores [default: hub-data; HUB_DATA]", HelpName = "DIR", Recursive = true };
    private static readonly Option<string?> Settings = new("--settings") { Description = "Settings file, JSON [default: hub.json in the data folder; HUB_SETTINGS]", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> Http = new("--http") { Description = "Where pages and API are served; a port alone is on this machine [default: 127.0.0.1:8080; HUB_HTTP]", HelpName = "ADDRESS:PORT" };
    private static readonly Option<string?> Mqtt = new("--mqtt") { Description = "Where the MQTT broker listens; a port alone is on this machine [default: 127.0.0.1:1883; HUB_MQTT]", HelpName = "ADDRESS:PORT" };
    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Any other setting, e.g. Hub:Series:QueriesMax=8; may be repeated [HUB_SERIES__QUERIESMAX]",
        HelpName = "KEY=VALUE",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<string?> History = new("--history")
    {
        Description = "How much of the past the stations bring along at their first start: days such as 7d, or all [default: 7d; HUB_DEMO__HISTORY]",
        HelpName = "SPAN",
    };

    /// <summary>Builds the command tree.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand("Hub: urban sensor hub and city platform. Without a command it starts the hub, as serve does.") { Data, Settings, Http, Mqtt, Set };
        root.SetAction((result, stop) => Guard(() => ServeAsync(result, stop)));

        var serve = new Command("serve", "Start the hub: broker, store, pages and API.") { Http, Mqtt, Set };
        serve.SetAction((result, stop) => Guard(() => ServeAsync(result, stop)));
        root.Add(serve);

        var demo = new Command("demo", "Start the hub with three demonstration municipalities and their stations, replaying published measurements.") { Http, Mqtt, Set, History };
        demo.SetAction((result, stop) => Guard(() => Demonstration.RunAsync(Build(result), stop)));
        root.Add(demo);

        root.Add(CheckTool.Create(result => Build(result), Guard));
        root.Add(BackupTool.Create(result => Build(result), Guard));
        root.Add(RestoreTool.Create(result => Build(result), Guard));
        root.Add(StationTool.Create(result => Build(result), Guard));
        root.Add(UserTool.Create(result => Build(result), Guard));
        root.Add(MunicipalityTool.Create(result => Build(result), Guard));
        root.Add(SubscriberTool.Create(result => Build(result), Guard));
        root.Add(AgentTool.Create(result => Build(result), Guard));
        root.Add(ImportTool.Create(result => Build(result), Guard));
        root.Add(ExportTool.Create(result => Build(result), Guard));
        root.Add(MigrateTool.Create(result => Build(result), Guard));
        return root;
    }

    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">What was typed after <c>hub</c>.</param>
    /// <param name="stop">Ends a verb that serves.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var result = Create().Parse(arguments);
        if (result.Action is ParseErrorAction)
        {
            // The library would follow its sentence with the whole help, and the sentence would scroll away.
            var verb = string.Join(' ', Verbs(result).Skip(1).Prepend("hub"));
            await Console.Error.WriteLineAsync($"hub: {string.Join(' ', result.Errors.Select(error => error.Message.ReplaceLineEndings(" ")).Distinct())} See: {verb} --help");
            return 2;
        }

        return await result.InvokeAsync(Invocation, stop);
    }

    /// <summary>
    /// How verbs are run. After Ctrl-C or a request to end the library waits for them no longer than told, two seconds if not, and then ends the process in the middle of what it does: longer than anything of the hub
    /// may take to stop (<c>Hub:Series:StopWithin</c>, the host's own limit), for each ends by its own limit before.
    /// </summary>
    internal static InvocationConfiguration Invocation { get; } = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(15) };

    private static Stack<string> Verbs(ParseResult result)
    {
        var names = new Stack<string>();
        for (var command = result.CommandResult; command is not null; command = command.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Push(command.Command.Name);
        }

        return names;
    }

    private static async Task<int> ServeAsync(ParseResult result, CancellationToken stop)
    {
        await using var app = await HubHost.StartAsync(Build(result), _ => { }, stop);
        await HubHost.WaitAsync(app, stop);
        return 0;
    }

    private static IConfigurationRoot Build(ParseResult result)
    {
        var given = new List<KeyValuePair<string, string?>>
        {
            new("Hub:Data", result.GetValue(Data)),
            new("Hub:Http:Endpoint", Value(result, Http)),
            new("Hub:Mqtt:Endpoint", Value(result, Mqtt)),
            new("Hub:Demo:History", Value(result, History)),
        };
        given.AddRange(result.GetResult(Set) is null ? [] : (result.GetValue(Set) ?? []).Select(ParseSet));
        return HubConfiguration.Build(given.GroupBy(p => p.Key, StringComparer.OrdinalIgnoreCase).Select(g => g.Last()), result.GetValue(Settings));
    }

    /// <summary>Reads <c>KEY=VALUE</c>; the prefix <c>Hub:</c> may be left away.</summary>
    /// <exception cref="StartException">There is no key or no <c>=</c>.</exception>
    internal static KeyValuePair<string, string?> ParseSet(string pair)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new StartException($"--set {pair}: expected KEY=VALUE, e.g. --set Hub:PublicUrl=https://hub.example.org");
        }

        return new(HubConfiguration.InFull(pair[..equals]), pair[(equals + 1)..]);
    }

    private static string? Value(ParseResult result, Option<string?> option) => result.GetResult(option) is null ? null : result.GetValue(option);

    /// <summary>Turns what a user can mend into one line and an exit code; anything else is a bug and shows itself whole.</summary>
    private static async Task<int> Guard(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (StartException exception)
        {
            await Console.Error.WriteLineAsync($"hub: {exception.Message}");
            return 2;
        }
        catch (Microsoft.Extensions.Options.OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"hub: {string.Join(' ', exception.Failures)}");
            return 2;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
    }
}
