using System.CommandLine;
using Hub.Tests.Kit;

namespace Hub.Cloud.Server.Tests;

public sealed class HubCommandTests
{
    /// <summary>Two seconds are the library's own: a hub that was still writing parts was ended with 130.</summary>
    [Fact]
    public void Whoever_stops_it_waits_until_it_has_stopped_by_its_own_limits()
    {
        var waits = HubCommand.Invocation.ProcessTerminationTimeout;
        Assert.True(waits > TimeSpan.FromMinutes(10), "longer than the longest that Hub:Series:StopWithin may be");
    }

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
    [InlineData("station --help", "add", "rotate-secret", "revoke-secret", "remove", "mosquitto", "claim-code", "settings", "command")]
    [InlineData("station settings --help", "--file", "--show", "--undo", "--history", "--clear", "STATION")]
    [InlineData("station command --help", "read-now", "rotate-credentials", "--arguments", "--wait", "75")]
    [InlineData("subscriber add --help", "MUNICIPALITY", "CHANNEL", "--rule", "--severity", "secret")]
    [InlineData("import --help", "FILE", "--mapping", "--create-stations", "--dry-run", "--report", "3:", "Ctrl-C")]
    [InlineData("export --help", "OUT", "--from", "--municipality", "--property", "--history", "parquet", "stopped")]
    [InlineData("migrate series --help", "--from", "--to", "--cursors", "hub.json", "verified")]
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
    [InlineData("station claim-code nowhere/nothing --data {0}", "hub station list")]
    [InlineData("station settings nowhere/nothing --undo --data {0}", "hub station list")]
    [InlineData("station settings a/b --undo --show --data {0}", "Give one of")]
    [InlineData("station command a/b reboot --data {0}", "reboot")]
    [InlineData("demo --htp 8080 --data {0}", "See: hub demo --help")]
    [InlineData("demmo --data {0}", "'demmo'")]
    [InlineData("station --data {0}", "See: hub station --help")]
    [InlineData("station add braga/a --data {0}", "--latitude")]
    [InlineData("station add braga/a --name A --latitude north --longitude -8.4 --data {0}", "See: hub station add --help")]
    [InlineData("serve --data {0}/a-file", "is a file")]
    [InlineData("user add somebody --municipality nowhere --data {0}", "nowhere")]
    [InlineData("user reset-password nobody --data {0}", "nobody")]
    [InlineData("station mosquitto --out {0}/hub.db --hub-secret-file {0}/secret --data {0}", "--out")]
    [InlineData("serve --set Series:QueriesMa=3 --data {0}", "Did you mean Hub:Series:QueriesMax?")]
    [InlineData("backup", "hub backup --help")]
    [InlineData("backup {0} --data {0}", "is there already")]
    [InlineData("backup {0}/backups/first --data {0}", "lies in the data folder")]
    [InlineData("restore {0}/nothing --data {0}", "is not empty")]
    [InlineData("restore {0} --data {0}/new", "is no backup")]
    [InlineData("serve --prot 1", "hub serve --help")]
    [InlineData("station add braga/a --name A --latitude north --longitude -8.4", "north")]
    [InlineData("station add braga/a --name A --latitude 41.5", "--longitude")]
    [InlineData("import {0}/missing.csv --data {0}", "There is no file")]
    [InlineData("import {0} --data {0}", "is a folder")]
    [InlineData("import {0}/secret --data {0}", "--format csv, parquet or lines")]
    [InlineData("import {0}/secret --format csv --data {0}", "--mapping")]
    [InlineData("import {0}/secret --format xml --data {0}", "xml")]
    [InlineData("import {0}/secret --format csv --mapping {0}/secret --data {0}", "/secret, line 1")]
    [InlineData("import {0}/secret --format csv --report {0}/secret --data {0}", "--report")]
    [InlineData("import {0}/secret --create-stations {0}/secret --data {0}", "station file")]
    [InlineData("export {0}/out --data {0}", "--format csv, parquet or lines")]
    [InlineData("export - --format parquet --data {0}", "Parquet needs a file")]
    [InlineData("export {0}/out.csv --from yesterday --data {0}", "2026-01-01T08:00:00Z")]
    [InlineData("export {0}/out.csv --from 2026-01-02 --to 2026-01-01 --data {0}", "--to is the end")]
    [InlineData("export {0}/out.csv --station rotunda --data {0}", "municipality/station")]
    [InlineData("migrate series --from {0}/nothing --to {0}/series --data {0}", "There is no store")]
    [InlineData("migrate series --from {0}/series --to settings --data {0}", "the same store")]
    [InlineData("migrate series --from {0}/series --data {0}", "--to")]
    public async Task A_mistake_is_one_line_on_the_error_stream_and_code_2(string arguments, string expected)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("secret"), new string('s', 32), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "a-file"), "", TestContext.Current.CancellationToken);
        using var said = new SaidConsole();
        int code;
        try
        {
            code = await HubCommand.RunAsync(
                string.Format(System.Globalization.CultureInfo.InvariantCulture, arguments, folder.Path).Split(' '), TestContext.Current.CancellationToken);
        }
        finally
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        }

        Assert.Equal(2, code);
        var line = Assert.Single(said.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("hub: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
