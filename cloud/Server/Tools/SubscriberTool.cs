using System.CommandLine;
using System.Globalization;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub subscriber</c>: who is told of a municipality's alarms.</summary>
internal static class SubscriberTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var command = new Command("subscriber", "Add, list and remove those who are told of alarms.");
        var municipality = new Argument<string>("MUNICIPALITY") { Description = "Slug of the municipality whose alarms are wanted" };
        var channel = new Argument<ChannelKind>("CHANNEL") { Description = "Mail, Webhook, Mqtt, Sms, Telegram or Off" };
        var target = new Argument<string>("TARGET") { Description = "Mail address, webhook address, telephone number or Telegram chat; none for Mqtt and Off", DefaultValueFactory = _ => "" };
        var role = new Option<StaffRole?>("--role") { Description = "Mail to whoever holds the role in the municipality: Viewer, Operator or Administrator; in place of TARGET", HelpName = "ROLE" };
        var language = new Option<string>("--language") { Description = "pt or en", HelpName = "LANGUAGE", DefaultValueFactory = _ => "pt" };
        var rule = new Option<string?>("--rule") { Description = "Only alarms of this rule; without it, of all", HelpName = "SLUG" };
        var severity = new Option<Severity>("--severity") { Description = "Only alarms at least this serious: Information, Warning or Alert", HelpName = "SEVERITY", DefaultValueFactory = _ => Severity.Information };
        var add = new Command("add", "Add a subscriber; of a webhook, prints its signing secret once.") { municipality, channel, target, role, language, rule, severity };
        add.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop, withNotifications: true);
            Demand(services, result.GetValue(municipality)!);
            var saved = await StationTool.Try(() => services.GetRequiredService<INotifications>().SaveAsync(
                new Subscriber(
                    0, result.GetValue(municipality)!, result.GetValue(channel), result.GetValue(target)!, result.GetValue(language)!, result.GetValue(rule), result.GetValue(severity), "")
                {
                    Role = result.GetValue(role),
                },
                stop));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"subscriber  {saved.Id}"));
            if (saved.Role is { } held)
            {
                var audience = await services.GetRequiredService<INotifications>().AudienceAsync(held, saved.Municipality, stop);
                Console.WriteLine($"reaches  {(audience.Addresses.Count > 0 ? string.Join(", ", audience.Addresses) : "nobody yet")}");
                if (audience.Unreachable.Count > 0)
                {
                    Console.WriteLine($"unreached  {string.Join(", ", audience.Unreachable)}: their user names are no mail addresses");
                }
            }

            if (saved.Secret.Length > 0)
            {
                Console.WriteLine($"secret  {saved.Secret}");
            }

            return 0;
        }));
        command.Add(add);

        var list = new Command("list", "List the subscribers of a municipality, and why nothing is sent to one any more.") { municipality };
        list.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop, withNotifications: true);
            Demand(services, result.GetValue(municipality)!);
            foreach (var one in await services.GetRequiredService<INotifications>().SubscribersAsync(result.GetValue(municipality)!, stop))
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{one.Id}\t{one.Channel}\t{(one.Role is { } held ? $"role: {held}" : one.Target)}\t{one.Language}\t{one.Rule ?? "*"}\t{one.SeverityMin}\t{(one.DisabledBecause is { } why ? $"off: {why}" : "on")}"));
            }

            return 0;
        }));
        command.Add(list);

        var id = new Argument<int>("SUBSCRIBER") { Description = "Its number, as list shows it" };
        var remove = new Command("remove", "Remove a subscriber, and what waits to be sent to it.") { municipality, id };
        remove.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop, withNotifications: true);
            var notifications = services.GetRequiredService<INotifications>();

            // Both are asked for: a number mistyped must not silence another municipality.
            if (!(await notifications.SubscribersAsync(result.GetValue(municipality)!, stop)).Any(known => known.Id == result.GetValue(id)))
            {
                throw new StartException(string.Create(CultureInfo.InvariantCulture, $"There is no subscriber {result.GetValue(id)} of '{result.GetValue(municipality)}'."));
            }

            await notifications.RemoveAsync(result.GetValue(id), stop);
            return 0;
        }));
        command.Add(remove);
        return command;
    }

    private static void Demand(IServiceProvider services, string municipality)
    {
        if (!services.GetRequiredService<IMunicipalities>().TryGet(municipality, out _))
        {
            throw new StartException($"There is no municipality '{municipality}'.");
        }
    }
}
