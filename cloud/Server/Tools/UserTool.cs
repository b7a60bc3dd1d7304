using System.CommandLine;
using Hub.Cloud.Municipalities;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub user</c>: people and their passwords.</summary>
internal static class UserTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var command = new Command("user", "Add people and reset passwords.");
        var user = new Argument<string>("USER") { Description = "E-mail address or short name" };
        var role = new Option<Role>("--role") { Description = "Administrator, Operator or Viewer", HelpName = "ROLE", DefaultValueFactory = _ => Role.Viewer };
        var municipality = new Option<string?>("--municipality") { Description = "Municipality the role is for; without it, the whole hub", HelpName = "SLUG" };

        var add = new Command("add", "Add a person; prints a generated password once.") { user, role, municipality };
        add.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            if (result.GetValue(municipality) is { } slug && !services.GetRequiredService<IMunicipalities>().TryGet(slug, out _))
            {
                throw new StartException($"There is no municipality '{slug}'.");
            }

            await using var scope = services.CreateAsyncScope();
            var people = scope.ServiceProvider.GetRequiredService<IPeople>();
            Console.WriteLine($"password  {await StationTool.Try(() => people.AddAsync(result.GetValue(user)!, null, result.GetValue(role), result.GetValue(municipality), stop))}");
            return 0;
        }));
        command.Add(add);

        var reset = new Command("reset-password", "Give a person a new generated password and end their sessions; prints it once.") { user };
        reset.SetAction((result, stop) => guard(async () =>
        {
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop);
            await using var scope = services.CreateAsyncScope();
            var people = scope.ServiceProvider.GetRequiredService<IPeople>();
            Console.WriteLine($"password  {await StationTool.Try(() => people.ResetPasswordAsync(result.GetValue(user)!, null, stop))}");
            return 0;
        }));
        command.Add(reset);
        return command;
    }
}
