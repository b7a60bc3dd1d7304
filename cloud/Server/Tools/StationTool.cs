using System.CommandLine;
using System.Globalization;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub station</c>: registers stations and their credentials. Safe beside a running hub of the same data folder, which sees the change within a few seconds.</summary>
internal static class StationTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var command = new Command("station", "Register stations, manage their credentials, and look after their agents.");
        var name = new Argument<string>("STATION") { Description = "municipality/station, e.g. braga/avenida-da-liberdade" };

        var title = new Option<string>("--name") { Description = "Name shown to people", Required = true, HelpName = "NAME" };
        var latitude = new Option<double>("--latitude") { Description = "WGS 84, e.g. 41.5514", Required = true, HelpName = "DEGREES", CustomParser = Degrees };
        var longitude = new Option<double>("--longitude") { Description = "WGS 84, west negative, e.g. -8.4229", Required = true, HelpName = "DEGREES", CustomParser = Degrees };
        var isPrivate = new Option<bool>("--private") { Description = "Hide it and its observations from anonymous visitors" };
        var adapter = new Option<string?>("--adapter")
        {
            Description = $"The station was made by others and pushes over HTTP ({string.Join(", ", StationAdapters.Names)}): the secret is that adapter's, not the station's own", HelpName = "ADAPTER",
        };
        adapter.AcceptOnlyFromAmong([.. StationAdapters.Names]);
        var tags = new Option<string[]>("--tag") { Description = "A word by which the municipality groups its stations, e.g. zona-mista; may be given several times", HelpName = "TAG" };
        var add = new Command("add", "Register a station; prints its secret once.") { name, title, latitude, longitude, isPrivate, tags, adapter };
        add.SetAction((result, stop) => guard(async () =>
        {
            var (municipality, slug) = Split(result.GetValue(name)!);
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            if (!services.GetRequiredService<IMunicipalities>().TryGet(municipality, out _))
            {
                throw new StartException($"There is no municipality '{municipality}'. Add it with: hub municipality add {municipality} --name ...");
            }

            var registration = new StationRegistration(municipality, slug, result.GetValue(title)!, result.GetValue(latitude), result.GetValue(longitude), !result.GetValue(isPrivate)) { Tags = result.GetValue(tags) ?? [] };
            var (station, secret) = await Try(() => services.GetRequiredService<IStations>().RegisterAsync(registration, stop));
            Console.WriteLine($"user    {municipality}/{slug}");
            if (result.GetValue(adapter) is { } foreign)
            {
                // The station's own secret is told to nobody; rotate-secret makes one should it ever be needed.
                secret = await services.GetRequiredService<IAdapterSecrets>().IssueAsync(station.Id, foreign, TimeSpan.Zero, stop);
                Console.WriteLine($"path    {AdapterPath(station, foreign)}");
            }

            Console.WriteLine($"secret  {secret}");
            return 0;
        }));
        command.Add(add);

        var list = new Command("list", "List the stations.");
        list.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            foreach (var station in services.GetRequiredService<IStations>().All)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{station.Municipality}/{station.Slug}\t{station.Latitude:F5}\t{station.Longitude:F5}\t{(station.Public ? "public" : "private")}\t{station.Name}{(station.Tags.Count > 0 ? "\t" + string.Join(' ', station.Tags) : "")}"));
            }

            return 0;
        }));
        command.Add(list);

        var wanted = new Argument<string[]>("TAG") { Description = "The tags it should have, at most 20; none takes all away", Arity = ArgumentArity.ZeroOrMore };
        var tag = new Command("tag", "Give a station these tags instead of those it has: rules with a tag concern the stations that have it.") { name, wanted };
        tag.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var stations = services.GetRequiredService<IStations>();
            var tagged = await Try(() => stations.TagAsync(Known(stations, result.GetValue(name)!).Id, result.GetValue(wanted) ?? [], stop));
            Console.WriteLine($"tags    {string.Join(' ', tagged.Tags)}".TrimEnd());
            return 0;
        }));
        command.Add(tag);

        var overlap = new Option<int>("--overlap") { Description = "For how long the old secret stays valid", HelpName = "HOURS", DefaultValueFactory = _ => 24 };
        var rotate = new Command("rotate-secret", "Give a station a new secret, or with --adapter that adapter its first or a new one; prints it once.") { name, overlap, adapter };
        rotate.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var stations = services.GetRequiredService<IStations>();
            var station = Known(stations, result.GetValue(name)!);
            var valid = TimeSpan.FromHours(result.GetValue(overlap));
            if (result.GetValue(adapter) is { } foreign)
            {
                var issued = await Try(() => services.GetRequiredService<IAdapterSecrets>().IssueAsync(station.Id, foreign, valid, stop));
                Console.WriteLine($"path    {AdapterPath(station, foreign)}");
                Console.WriteLine($"secret  {issued}");
                return 0;
            }

            Console.WriteLine($"secret  {await stations.RotateSecretAsync(station.Id, valid, stop)}");
            return 0;
        }));
        command.Add(rotate);

        var ended = new Option<string>("--adapter") { Description = $"One of {string.Join(", ", StationAdapters.Names)}", Required = true, HelpName = "ADAPTER" };
        ended.AcceptOnlyFromAmong([.. StationAdapters.Names]);
        var revoke = new Command("revoke-secret", "Take an adapter's secret away from a station, at once.") { name, ended };
        revoke.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var station = Known(services.GetRequiredService<IStations>(), result.GetValue(name)!);
            var foreign = result.GetValue(ended)!;
            return await services.GetRequiredService<IAdapterSecrets>().RevokeAsync(station.Id, foreign, stop)
                ? 0
                : throw new StartException($"{station.Municipality}/{station.Slug} has no secret for {foreign}.");
        }));
        command.Add(revoke);

        var remove = new Command("remove", "Remove a station and its credentials; its history stays.") { name };
        remove.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var stations = services.GetRequiredService<IStations>();
            await stations.RemoveAsync(Known(stations, result.GetValue(name)!).Id, stop);
            return 0;
        }));
        command.Add(remove);

        var folder = new Option<string>("--out") { Description = "Folder that receives the files 'passwords' and 'acl'", Required = true, HelpName = "DIR" };
        var hubSecret = new Option<string>("--hub-secret-file") { Description = "File with the hub's own secret on the broker, at least 32 characters", Required = true, HelpName = "FILE" };
        var mosquitto = new Command("mosquitto", "Write the password file and access list with which an external Mosquitto admits the stations.") { folder, hubSecret };
        mosquitto.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            var secret = await ReadSecretAsync(result.GetValue(hubSecret)!, stop);
            var files = await Try(() => ValueTask.FromResult(MosquittoFiles.Write(services.GetRequiredService<IStationCredentials>().Current, "hub", secret)));
            var target = await WriteAsync(result.GetValue(folder)!, files, stop);
            Console.WriteLine($"Wrote {Path.Combine(target, "passwords")} and {Path.Combine(target, "acl")}. The hub's user is 'hub'. Send Mosquitto a SIGHUP to read them.");
            return 0;
        }));
        command.Add(mosquitto);
        foreach (var agent in FleetTools.Create(name, settings, guard))
        {
            command.Add(agent);
        }

        return command;
    }

    /// <summary>Splits <c>municipality/station</c>.</summary>
    internal static (string Municipality, string Station) Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < name.Length - 1
            ? (name[..slash], name[(slash + 1)..])
            : throw new StartException($"'{name}' is not municipality/station, e.g. braga/avenida-da-liberdade.");
    }

    private static async Task<string> WriteAsync(string folder, MosquittoFiles files, CancellationToken stop)
    {
        try
        {
            var target = Directory.CreateDirectory(folder).FullName;
            await File.WriteAllTextAsync(Path.Combine(target, "passwords"), files.Passwords, stop);
            await File.WriteAllTextAsync(Path.Combine(target, "acl"), files.Acl, stop);
            return target;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The folder {folder} cannot be written ({exception.Message}). Give another one with --out, or change its permissions.", exception);
        }
    }

    private static string AdapterPath(Station station, string adapter) => $"/ingest/v1/{station.Municipality}/{station.Slug}/{adapter}";

    private static async Task<string> ReadSecretAsync(string file, CancellationToken stop)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, stop)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The secret file {file} cannot be read ({exception.Message}).", exception);
        }
    }

    internal static Station Known(IStations stations, string name)
    {
        var (municipality, slug) = Split(name);
        return stations.TryGet(municipality, slug, out var station)
            ? station
            : throw new StartException($"There is no station {name}. hub station list shows them all.");
    }

    /// <summary>What the user got wrong becomes a line.</summary>
    internal static async Task<T> Try<T>(Func<ValueTask<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception exception) when (exception is ArgumentException or KeyNotFoundException or StationConflictException)
        {
            throw new StartException(exception.Message, exception);
        }
    }

    /// <summary>Reads degrees with a point, whatever the language of the machine.</summary>
    internal static double Degrees(System.CommandLine.Parsing.ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }

        result.AddError($"'{text}' is not a number of degrees such as 41.5503");
        return 0;
    }
}
