using System.CommandLine;
using Hub.Tests.Kit;

namespace Hub.Cloud.Server.Tests;

public sealed class HubCommandTests
{
    [Fact]
    public void Every_verb_argument_and_option_says_what_it_is()
    {
        var verbs = All(HubCommand.Create()).ToList();

        Assert.True(verbs.Count >= 12, string.Join(' ', verbs.Select(v => v.Name)));
        Assert.All(verbs, verb =>
        {
            Assert.False(string.IsNullOrWhiteSpace(verb.Description), verb.Name);
            Assert.All(verb.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{verb.Name} {option.Name}"));
            Assert.All(verb.Arguments, argument => Assert.False(string.IsNullOrWhiteSpace(argument.Description), $"{verb.Name} {argument.Name}"));
        });
    }

    [Theory]
    [InlineData("--help", "demo", "station", "--data", "--http")]
    [InlineData("demo --help", "--history", "--mqtt", "7d", "--data")]
    [InlineData("station --help", "add", "rotate-secret", "revoke-secret", "remove", "mosquitto")]
    public async Task Help_names_what_can_be_typed(string arguments, params string[] words)
    {
        await using var said = new StringWriter();
        var code = await HubCommand.Create().Parse(arguments).InvokeAsync(new() { Output = said }, TestContext.Current.CancellationToken);

        Assert.Equal(0, code);
        Assert.All(words, word => Assert.Contains(word, said.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("municipality add braga --name Braga --zone Nowhere/Nowhere --data {0}", "Europe/Lisbon")]
    [InlineData("station add braga/a --name A --latitude 41.5 --longitude -8.4 --data {0}", "hub municipality add braga")]
    [InlineData("serve --http here --data {0}", "Hub:Http:Endpoint")]
    [InlineData("serve --set Threads --data {0}", "KEY=VALUE")]
    [InlineData("demo --history soon --data {0}", "--history")]
    [InlineData("--settings {0}/missing.json --data {0}", "--settings")]
    [InlineData("station remove nowhere/nothing --data {0}", "hub station list")]
    [InlineData("station revoke-secret nowhere/nothing --adapter telraam --data {0}", "hub station list")]
    [InlineData("station remove nothing --data {0}", "municipality/station")]
    [InlineData("demo --htp 8080 --data {0}", "See: hub demo --help")]
    [InlineData("demmo --data {0}", "'demmo'")]
    [InlineData("station --data {0}", "See: hub station --help")]
    [InlineData("station add braga/a --data {0}", "--latitude")]
    [InlineData("station add braga/a --name A --latitude north --longitude -8.4 --data {0}", "See: hub station add --help")]
    [InlineData("serve --data {0}/a-file", "is a file")]
    [InlineData("user add somebody --municipality nowhere --data {0}", "nowhere")]
    [InlineData("user reset-password nobody --data {0}", "nobody")]
    [InlineData("station mosquitto --out {0}/hub.db --hub-secret-file {0}/secret --data {0}", "--out")]
    [InlineData("serve --set Series:Thread=3 --data {0}", "Did you mean Hub:Series:Threads?")]
    [InlineData("backup", "hub --help")]
    [InlineData("serve --prot 1", "hub serve --help")]
    [InlineData("station add braga/a --name A --latitude north --longitude -8.4", "north")]
    [InlineData("station add braga/a --name A --latitude 41.5", "--longitude")]
    public async Task A_mistake_is_one_line_on_the_error_stream_and_code_2(string arguments, string expected)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("secret"), new string('s', 32), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "a-file"), "", TestContext.Current.CancellationToken);
        var terminal = Console.Error;
        await using var said = new StringWriter();
        Console.SetError(said);
        int code;
        try
        {
            code = await HubCommand.RunAsync(
                string.Format(System.Globalization.CultureInfo.InvariantCulture, arguments, folder.Path).Split(' '), TestContext.Current.CancellationToken);
        }
        finally
        {
            Console.SetError(terminal);
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        }

        Assert.Equal(2, code);
        var line = Assert.Single(said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("hub: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
