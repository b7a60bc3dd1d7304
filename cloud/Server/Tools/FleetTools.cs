using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary>
/// <c>hub station claim-code</c>, <c>settings</c> and <c>command</c>: the agents at the stations. They work on the data folder; a hub running on it carries changes and commands to the
/// station within a few seconds.
/// </summary>
internal static class FleetTools
{
    /// <summary>How people see who it was.</summary>
    private const string By = "command line";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Builds the verbs.</summary>
    public static IEnumerable<Command> Create(Argument<string> name, Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard) =>
        [ClaimCode(name, settings, guard), Settings(name, settings, guard), Commands(name, settings, guard)];

    private static Command ClaimCode(Argument<string> name, Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var profile = new Option<string?>("--profile") { Description = "Station profile that the installer should use, e.g. air-basic", HelpName = "PROFILE" };
        var revoke = new Option<bool>("--revoke") { Description = "End the code that has not been used yet, and make none" };
        var verb = new Command("claim-code", "Make a code with which one new agent becomes this station, once; prints it once. One made before ends.") { name, profile, revoke };
        verb.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var station = StationTool.Known(services.GetRequiredService<IStations>(), result.GetValue(name)!);
            var fleet = services.GetRequiredService<IFleet>();
            if (result.GetValue(revoke))
            {
                return await fleet.RevokeClaimAsync(station, By, stop) ? 0 : throw new StartException($"{station.Municipality}/{station.Slug} has no claim code that could be ended.");
            }

            var issued = await StationTool.Try(() => fleet.IssueClaimAsync(station, result.GetValue(profile), By, stop));
            Console.WriteLine($"code   {issued.Code}");
            Console.WriteLine($"until  {issued.ExpiresAt:yyyy-MM-dd HH:mm} UTC");
            return 0;
        }));
        return verb;
    }

    private static Command Settings(Argument<string> name, Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var file = new Option<string?>("--file") { Description = "Set them from this JSON file; - reads from standard input", HelpName = "FILE" };
        var show = new Option<bool>("--show") { Description = "Print those wanted now (what happens when nothing else is asked for)" };
        var undo = new Option<bool>("--undo") { Description = "Put the settings before the last change in force again" };
        var history = new Option<bool>("--history") { Description = "List the versions, newest first" };
        var clear = new Option<bool>("--clear") { Description = "Want none: the station file alone holds again" };
        var verb = new Command("settings", "Show or change the settings wanted of a station.") { name, file, show, undo, history, clear };
        verb.Validators.Add(result =>
        {
            if (new Option[] { file, show, undo, history, clear }.Count(option => result.GetResult(option) is not null) > 1)
            {
                result.AddError("Give one of --file, --show, --undo, --history and --clear.");
            }
        });
        verb.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var station = StationTool.Known(services.GetRequiredService<IStations>(), result.GetValue(name)!);
            var fleet = services.GetRequiredService<IFleet>();
            if (result.GetValue(history))
            {
                foreach (var version in await fleet.HistoryAsync(station.Id, 1_000, stop))
                {
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{version.Version}\t{version.ChangedAt:yyyy-MM-dd HH:mm:ss}\t{version.Change.ToString().ToLowerInvariant()}{(version.UndoneTo is { } to ? $" to {to}" : "")}\t{version.ChangedBy}"));
                }

                return 0;
            }

            Wanted? wanted;
            if (result.GetValue(file) is { } from)
            {
                var text = await ReadAsync(from, stop);
                if (!FleetExtensions.TryParseSettings(text, out var given, out var problem))
                {
                    throw new StartException($"{from}: {problem}");
                }

                wanted = await ChangeAsync(() => fleet.WantSettingsAsync(station, given, null, null, By, stop));
            }
            else if (result.GetValue(clear))
            {
                wanted = await ChangeAsync(() => fleet.WantSettingsAsync(station, null, null, null, By, stop));
            }
            else if (result.GetValue(undo))
            {
                var versions = await fleet.HistoryAsync(station.Id, 1_000, stop);
                var before = versions.Skip(1).FirstOrDefault(v => v.Settings?.GetRawText() != versions[0].Settings?.GetRawText())
                    ?? throw new StartException($"There is no earlier version of the settings of {station.Municipality}/{station.Slug}. See: hub station settings {station.Municipality}/{station.Slug} --history");
                wanted = await ChangeAsync(() => fleet.RestoreSettingsAsync(station, before.Version, versions[0].Version, By, stop));
            }
            else
            {
                wanted = await fleet.WantedAsync(station.Id, stop);
                Console.WriteLine(wanted?.Settings is { } settings ? JsonSerializer.Serialize(settings, Readable) : "null");
                return 0;
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"version  {wanted.Version}"));
            return 0;
        }));
        return verb;
    }

    private static Command Commands(Argument<string> name, Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        string[] names = [CommandNames.ReadNow, CommandNames.Identify, CommandNames.Diagnostics, CommandNames.Restart, CommandNames.RotateCredentials];
        var what = new Argument<string>("COMMAND") { Description = string.Join(", ", names) };
        what.AcceptOnlyFromAmong(names);
        var arguments = new Option<string?>("--arguments") { Description = "Arguments of the command as a JSON object, e.g. {\"seconds\":60}", HelpName = "JSON" };
        var wait = new Option<int>("--wait") { Description = "Longest wait for the answer", HelpName = "SECONDS", DefaultValueFactory = _ => 75 };
        var verb = new Command("command", "Send a command to a station through the hub that runs on the data folder, and print the answer.") { name, what, arguments, wait };
        verb.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var station = StationTool.Known(services.GetRequiredService<IStations>(), result.GetValue(name)!);
            AgentCommand command;
            try
            {
                command = await services.GetRequiredService<IFleet>().CommandAsync(
                    station, result.GetValue(what)!, Object(result.GetValue(arguments)), TimeSpan.FromSeconds(Math.Clamp(result.GetValue(wait), 0, 3_600)), By, stop);
            }
            catch (Exception exception) when (exception is ArgumentException or StationAwayException or FleetBusyException)
            {
                throw new StartException(exception.Message, exception);
            }

            if (command.Step == CommandStep.Waiting)
            {
                await Console.Error.WriteLineAsync("hub: No hub seems to run on this data folder; the command goes out if one starts before it expires.");
                return 1;
            }

            if (command.Result is { } answer)
            {
                Console.WriteLine(JsonSerializer.Serialize(answer, Readable));
            }

            if (command.Step != CommandStep.Done)
            {
                await Console.Error.WriteLineAsync($"hub: {command.Name}: {command.Step.ToString().ToLowerInvariant()}{(command.Problem is { } problem ? $": {problem}" : "")}");
                return 1;
            }

            return 0;
        }));
        return verb;
    }

    private static JsonElement? Object(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return FleetExtensions.TryParseSettings(text, out var read, out var problem) ? read : throw new StartException($"--arguments: {problem}");
    }

    private static async Task<Wanted> ChangeAsync(Func<ValueTask<Wanted>> change)
    {
        try
        {
            return await change();
        }
        catch (Exception exception) when (exception is SettingsRefusedException or WantedChangedException or KeyNotFoundException)
        {
            throw new StartException(exception.Message, exception);
        }
    }

    private static async Task<string> ReadAsync(string file, CancellationToken stop)
    {
        try
        {
            return file == "-" ? await Console.In.ReadToEndAsync(stop) : await File.ReadAllTextAsync(file, stop);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The file {file} cannot be read ({exception.Message}).", exception);
        }
    }
}
