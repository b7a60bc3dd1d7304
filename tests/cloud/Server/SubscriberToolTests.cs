using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Server.Tests;

public sealed class SubscriberToolTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task Subscribers_are_added_listed_and_removed()
    {
        await ToolAsync("municipality", "add", "braga", "--name", "Braga");
        await ToolAsync("municipality", "add", "aveiro", "--name", "Aveiro");
        var mail = await ToolAsync("subscriber", "add", "braga", "mail", "ana@cm-braga.pt", "--severity", "warning");
        Assert.False(mail.ContainsKey("secret"), "only webhooks have a secret");
        var webhook = await ToolAsync("subscriber", "add", "braga", "webhook", "https://example.org/hook", "--rule", "pm10-high", "--language", "en");
        Assert.StartsWith("whsec_", webhook["secret"], StringComparison.Ordinal);

        // A secret is shown once.
        var list = await ToolAsync("subscriber", "list", "braga");
        Assert.DoesNotContain(list, line => line.Value.Contains("whsec_", StringComparison.Ordinal) || line.Key.Contains("whsec_", StringComparison.Ordinal));
        using (var said = new SaidConsole())
        {
            Assert.Equal(0, await HubCommand.RunAsync(["subscriber", "list", "braga", "--data", _folder.Path], TestContext.Current.CancellationToken));
            Assert.Equal(
                [$"{mail["subscriber"]}\tMail\tana@cm-braga.pt\tpt\t*\tWarning\ton", $"{webhook["subscriber"]}\tWebhook\thttps://example.org/hook\ten\tpm10-high\tInformation\ton"],
                said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }

        using (var said = new SaidConsole())
        {
            Assert.Equal(2, await HubCommand.RunAsync(["subscriber", "remove", "aveiro", mail["subscriber"], "--data", _folder.Path], TestContext.Current.CancellationToken));
            Assert.Contains("There is no subscriber", said.Error, StringComparison.Ordinal);
            Assert.Equal(2, await HubCommand.RunAsync(["subscriber", "add", "braga", "sms", "+351912345678", "--data", _folder.Path], TestContext.Current.CancellationToken));
            Assert.Contains("Hub:Notifications:Sms:Url", said.Error, StringComparison.Ordinal);
            Assert.Equal(2, await HubCommand.RunAsync(["subscriber", "add", "braga", "webhook", "http://127.0.0.1/", "--data", _folder.Path], TestContext.Current.CancellationToken));
            Assert.Contains("AllowPrivateTargets", said.Error, StringComparison.Ordinal);
            Assert.Equal(2, await HubCommand.RunAsync(["subscriber", "add", "nowhere", "mqtt", "--data", _folder.Path], TestContext.Current.CancellationToken));
            Assert.Contains("nowhere", said.Error, StringComparison.Ordinal);
        }

        await ToolAsync("subscriber", "remove", "braga", mail["subscriber"]);
        using var left = new SaidConsole();
        Assert.Equal(0, await HubCommand.RunAsync(["subscriber", "list", "braga", "--data", _folder.Path], TestContext.Current.CancellationToken));
        Assert.Single(left.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    [Fact]
    public async Task A_subscriber_by_role_says_whom_it_reaches()
    {
        await ToolAsync("municipality", "add", "braga", "--name", "Braga");
        await ToolAsync("user", "add", "ana@cm-braga.pt", "--role", "operator", "--municipality", "braga");
        await ToolAsync("user", "add", "chefe", "--role", "administrator", "--municipality", "braga");
        await ToolAsync("user", "add", "todos@example.org", "--role", "administrator");
        var made = await ToolAsync("subscriber", "add", "braga", "mail", "--role", "operator");
        Assert.Equal(("ana@cm-braga.pt", "chefe: their user names are no mail addresses"), (made["reaches"], made["unreached"]));
        using var said = new SaidConsole();
        Assert.Equal(0, await HubCommand.RunAsync(["subscriber", "list", "braga", "--data", _folder.Path], TestContext.Current.CancellationToken));
        Assert.Equal($"{made["subscriber"]}\tMail\trole: Operator\tpt\t*\tInformation\ton", said.Output.Trim());
        Assert.Equal(2, await HubCommand.RunAsync(["subscriber", "add", "braga", "mail", "eva@cm-braga.pt", "--role", "operator", "--data", _folder.Path], TestContext.Current.CancellationToken));
        Assert.Contains("must be empty for a role", said.Error, StringComparison.Ordinal);
    }

    private Task<Dictionary<string, string>> ToolAsync(params string[] arguments) => SaidConsole.ToolAsync(_folder.Path, arguments);
}
