using System.CommandLine;
using System.Globalization;
using Hub.Cloud.Municipalities;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub municipality</c>: tenants.</summary>
internal static class MunicipalityTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var command = new Command("municipality", "Add and list municipalities.");
        var slug = new Argument<string>("SLUG") { Description = "Identifier in topics and addresses, e.g. braga" };
        var name = new Option<string>("--name") { Description = "Name shown to people", Required = true, HelpName = "NAME" };
        var region = new Option<string>("--region") { Description = "Region, e.g. Norte", HelpName = "NAME", DefaultValueFactory = _ => "" };
        var code = new Option<string>("--code") { Description = "INE code (four digits)", HelpName = "CODE", DefaultValueFactory = _ => "" };
        var latitude = new Option<double>("--latitude") { Description = "Centre of its map, WGS 84", HelpName = "DEGREES", CustomParser = StationTool.Degrees, DefaultValueFactory = _ => 39.6 };
        var longitude = new Option<double>("--longitude") { Description = "Centre of its map, WGS 84", HelpName = "DEGREES", CustomParser = StationTool.Degrees, DefaultValueFactory = _ => -8.0 };
        var zone = new Option<string>("--zone") { Description = "Time zone of its legal day", HelpName = "ZONE", DefaultValueFactory = _ => "Europe/Lisbon" };
        var add = new Command("add", "Add or change a municipality.") { slug, name, region, code, latitude, longitude, zone };
        add.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            await StationTool.Try(() => services.GetRequiredService<IMunicipalities>().SaveAsync(
                new Municipality(
                    result.GetValue(slug)!,
                    result.GetValue(name)!,
                    result.GetValue(region)!,
                    result.GetValue(code)!,
                    result.GetValue(latitude),
                    result.GetValue(longitude),
                    result.GetValue(zone)!),
                stop));
            Console.WriteLine($"municipality  {result.GetValue(slug)}");
            return 0;
        }));
        command.Add(add);

        var list = new Command("list", "List the municipalities.");
        list.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            foreach (var municipality in services.GetRequiredService<IMunicipalities>().All)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{municipality.Slug}\t{municipality.Name}\t{municipality.Region}\t{municipality.Zone}"));
            }

            return 0;
        }));
        command.Add(list);
        return command;
    }
}
