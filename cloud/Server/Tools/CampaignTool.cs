using System.CommandLine;
using System.Globalization;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary>
/// <c>hub agent publish</c>, <c>bundles</c> and <c>campaign</c>: new agents for stations. They work on the data folder; a hub running on it offers, pauses and takes back within a few seconds.
/// </summary>
internal static class CampaignTool
{
    /// <summary>How people see who it was.</summary>
    private const string By = "command line";

    /// <summary>Builds the verbs.</summary>
    public static IEnumerable<Command> Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var campaign = new Command("campaign", "Bring a published agent to stations, a wave after the other.")
        {
            Start(settings, guard), List(settings, guard), Show(settings, guard),
            Change("pause", "Offer nothing new until it is resumed; what was offered goes on.", updates => updates.PauseAsync, settings, guard),
            Change("resume", "Go on; failures are counted anew.", updates => updates.ResumeAsync, settings, guard),
            Change("cancel", "End it, and take the offer back from every station that has not installed it.", updates => updates.CancelAsync, settings, guard),
        };
        return [Publish(settings, guard), Bundles(settings, guard), campaign];
    }

    private static Command Publish(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var file = new Argument<string>("BUNDLE") { Description = "File that hub agent pack made" };
        var verb = new Command("publish", "Check a bundle and store it in the hub, for campaigns; prints its SHA-256.") { file };
        verb.SetAction((result, stop) => guard(() => WithAsync(settings(result), async updates =>
        {
            await using var content = File.OpenRead(result.GetValue(file)!);
            var bundle = await updates.PublishAsync(content, By, stop);
            Console.WriteLine($"version    {bundle.Version}");
            Console.WriteLine($"runtime    {bundle.Runtime}");
            Console.WriteLine($"sha256     {bundle.Sha256}");
            Console.WriteLine($"signature  {(bundle.SignatureChecked ? "checked" : "not checked (Hub:Fleet:UpdateKeys names no key); stations check it")}");
        }, stop)));
        return verb;
    }

    private static Command Bundles(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var verb = new Command("bundles", "List the bundles stored in the hub, newest first.");
        verb.SetAction((result, stop) => guard(() => WithAsync(settings(result), async updates =>
        {
            foreach (var bundle in await updates.BundlesAsync(stop))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bundle.Version}\t{bundle.Runtime}\t{bundle.Bytes}\t{bundle.PublishedAt:yyyy-MM-dd HH:mm}\t{bundle.Sha256}"));
            }
        }, stop)));
        return verb;
    }

    private static Command Start(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var name = new Argument<string>("NAME") { Description = "What people call it" };
        var version = new Option<string>("--version") { Description = "Version of the agent; a bundle of it must have been published", Required = true, HelpName = "VERSION" };
        var municipality = new Option<string?>("--municipality") { Description = "Only stations of this municipality; all of the hub when left away", HelpName = "SLUG" };
        var chosen = new Option<string[]>("--station") { Description = "Only this station, municipality/station; may be given several times", HelpName = "STATION" };
        var wave = new Option<int>("--wave") { Description = "Stations under way at the same time", HelpName = "COUNT", DefaultValueFactory = _ => CampaignRequest.WaveSizeDefault };
        var limit = new Option<int>("--failures") { Description = "Pause when so many stations refused it or went back", HelpName = "COUNT", DefaultValueFactory = _ => CampaignRequest.FailureLimitDefault };
        var force = new Option<bool>("--force") { Description = "Install it also where the version that runs is not older" };
        var verb = new Command("start", "Start a campaign over the stations there are now; prints its number.") { name, version, municipality, chosen, wave, limit, force };
        verb.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var stations = services.GetRequiredService<IStations>();
            if (result.GetValue(municipality) is { } slug && !services.GetRequiredService<IMunicipalities>().TryGet(slug, out _))
            {
                throw new StartException($"There is no municipality '{slug}'. hub municipality list shows them all.");
            }

            var request = new CampaignRequest(
                result.GetValue(name)!, result.GetValue(version)!, result.GetValue(municipality), result.GetResult(chosen) is null ? null : [.. (result.GetValue(chosen) ?? []).Select(one => StationTool.Known(stations, one))],
                result.GetValue(wave), result.GetValue(limit), result.GetValue(force));
            Tell(await TryAsync(() => services.GetRequiredService<IAgentUpdates>().StartAsync(request, By, stop)));
            return 0;
        }));
        return verb;
    }

    private static Command List(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var verb = new Command("list", "List campaigns, newest first.");
        verb.SetAction((result, stop) => guard(() => WithAsync(settings(result), async updates =>
        {
            foreach (var campaign in await updates.CampaignsAsync(null, 1_000, stop))
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{campaign.Id}\t{Word(campaign.State)}\t{campaign.Version}\t{campaign.Ended}/{campaign.Stations}\t{campaign.Municipality ?? "*"}\t{campaign.StartedAt:yyyy-MM-dd HH:mm}\t{campaign.Name}"));
            }
        }, stop)));
        return verb;
    }

    private static Command Show(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var id = Id();
        var verb = new Command("show", "Show a campaign and how far each of its stations has come.") { id };
        verb.SetAction((result, stop) => guard(() => WithAsync(settings(result), async updates =>
        {
            var number = result.GetValue(id);
            var campaign = await updates.FindAsync(number, stop) ?? throw new KeyNotFoundException($"There is no campaign {number}.");
            Tell(campaign);
            foreach (var one in await updates.StationsAsync(number, stop))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Municipality}/{one.Station}\t{Word(one.Status)}\t{one.At:yyyy-MM-dd HH:mm:ss}\t{one.Problem}"));
            }
        }, stop)));
        return verb;
    }

    private static Command Change(
        string name, string description, Func<IAgentUpdates, Func<long, string, CancellationToken, ValueTask<Campaign>>> change, Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var id = Id();
        var verb = new Command(name, description) { id };
        verb.SetAction((result, stop) => guard(() => WithAsync(settings(result), async updates => Tell(await change(updates)(result.GetValue(id), By, stop)), stop)));
        return verb;
    }

    private static Argument<long> Id() => new("CAMPAIGN") { Description = "Its number, as list shows it" };

    private static void Tell(Campaign campaign)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"campaign  {campaign.Id}"));
        Console.WriteLine($"state     {Word(campaign.State)}{(campaign.Reason is { } reason ? $" ({reason})" : "")}");
        Console.WriteLine($"version   {campaign.Version}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"stations  {campaign.Stations}"));
        foreach (var (status, count) in campaign.Counts.OrderBy(count => count.Key))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Word(status)}  {count}"));
        }
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value is UpdateStatus.RolledBack ? "rolled-back" : value.ToString().ToLowerInvariant();

    private static async Task<int> WithAsync(IConfigurationRoot settings, Func<IAgentUpdates, Task> act, CancellationToken stop)
    {
        await using var services = await HubHost.OpenToolsAsync(settings, stop);
        await TryAsync<object?>(async () =>
        {
            await act(services.GetRequiredService<IAgentUpdates>());
            return null;
        });
        return 0;
    }

    /// <summary>What the user got wrong, and what the file system refuses, becomes a line.</summary>
    private static async Task<T> TryAsync<T>(Func<ValueTask<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception exception) when (exception is ArgumentException or KeyNotFoundException or CampaignRefusedException or BundleRefusedException or IOException or UnauthorizedAccessException)
        {
            throw new StartException(exception.Message.ReplaceLineEndings(" "), exception);
        }
    }
}
