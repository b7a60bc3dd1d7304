using System.Text;
using CsCheck;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tests;

public sealed class HubKeysTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Hub:Data")]
    [InlineData("Hub:Database")]
    [InlineData("Hub:Http:Endpoint")]
    [InlineData("Hub:Mqtt:External:SecretFile")]
    [InlineData("Hub:Mqtt:Readers:0:Municipalities:0")]
    [InlineData("Hub:Notifications:RetryDelays:0")]
    [InlineData("Hub:Notifications:Mail:Smtp:Password")]
    [InlineData("Hub:Notifications:Webhook:AllowPrivateTargets")]
    [InlineData("Hub:Series:FlushObservationsMax")]
    [InlineData("Hub:Portal:Map:PmTiles:Source")]
    [InlineData("Hub:Demo:History")]
    public void What_stages_bind_is_known(string key) => Assert.Contains(key, HubKeys.All);

    [Fact]
    public void Every_key_is_known_in_any_letter_case_and_at_any_place_of_a_list()
    {
        Assert.All(HubKeys.All, key => Assert.Null(HubKeys.Mistake(key, "1", k => k)));
        Assert.All(HubKeys.All, key => Assert.Null(HubKeys.Mistake(key.ToUpperInvariant().Replace(":0", ":17", StringComparison.Ordinal), "1", k => k)));
        Assert.Null(HubKeys.Mistake("Hub:Logging:LogLevel:Microsoft.AspNetCore", "Debug", k => k));
        Assert.Null(HubKeys.Mistake("Hub:Notifications:RetryDelays", "", k => k));
    }

    [Fact]
    public void A_key_with_one_letter_wrong_is_refused_and_the_right_one_named() => Check.Sample(
        Gen.Select(Gen.Int[0, HubKeys.All.Count - 1], Gen.Int[0, 1000]),
        t =>
        {
            var key = HubKeys.All[t.Item1];
            var at = "Hub:".Length + t.Item2 % (key.Length - "Hub:".Length);
            var wrong = $"{key[..at]}{(key[at] == 'q' ? 'z' : 'q')}{key[(at + 1)..]}";
            var mend = HubKeys.Mistake(wrong, "1", k => k);
            // Any name will do where names are the user's own.
            var own = key.IndexOf(":NAME", StringComparison.Ordinal);
            var isOwn = own >= 0 && at > own && at < own + ":NAME".Length;
            Assert.True(isOwn || HubKeys.All.Contains(wrong, StringComparer.OrdinalIgnoreCase) ? mend is null : mend is not null && mend.StartsWith("Did you mean Hub:", StringComparison.Ordinal), $"{wrong}: {mend}");
        },
        iter: 500);

    [Theory]
    [InlineData("{\n  \"mqtt\": {\n    \"endpiont\": \"1884\"\n  }\n}", " line 3: mqtt:endpiont ", "Did you mean Mqtt:Endpoint?")]
    [InlineData("{\"Hub\": {\"Series\": {\n\"QueriesMa\": 3}}}", " line 2: Hub:Series:QueriesMa ", "Did you mean Series:QueriesMax?")]
    [InlineData("{\n// Ours.\n\"staleAfter\": \"00:10:00\",}", " line 3: staleAfter ", "Did you mean Alerts:StaleAfter?")]
    [InlineData("{\"mqtt\": {\"readers\": [{\"user\": \"a\"},\n{\"usre\": \"b\"}]}}", " line 2: mqtt:readers:1:usre ", "Did you mean Mqtt:Readers:0:User?")]
    [InlineData("{\"mqtt\": {\"readers\": \"a\"}}", " line 1: mqtt:readers ", "Mqtt:Readers is a list: write Mqtt:Readers:0")]
    [InlineData("{\n\n\"weather\": true}", " line 3: weather ", "There are Alerts, Api, Data, ")]
    [InlineData("{\"series\": {\n\"threads\": 4}}", " line 2: series:threads ", "It went with the database that held the series before; remove it.")]
    [InlineData("{\"series\": {\"memoryMegabytesMax\": 256}}", " line 1: series:memoryMegabytesMax ", "is bounded by series.flushObservationsMax")]
    [InlineData("{\"series\": {\"CheckpointMegabytes\": 64}}", " line 1: series:CheckpointMegabytes ", "is series.logMegabytesMax")]
    [InlineData("{\"series\": 3}", " line 1: series ", "It is a group of settings; Series has BucketsMax")]
    [InlineData("{\"data\": {\"folder\": \"a\"}}", " line 1: data:folder ", "Series:Folder")]
    public void In_a_file_the_line_and_the_nearest_key_are_named(string content, string what, string mend)
    {
        var file = _folder.File("hub.json");
        File.WriteAllText(file, content);

        foreach (var named in new[] { file, null })
        {
            var line = Line(() => HubConfiguration.Build([new("Hub:Data", _folder.Path)], named, []));

            Assert.Contains(file + what, line, StringComparison.Ordinal);
            Assert.Contains(mend, line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("HUB_HTPT", "Did you mean HUB_HTTP?")]
    [InlineData("HUB_SERIES_QUERIESMAX", "Did you mean HUB_SERIES__QUERIESMAX?")]
    [InlineData("HUB_SERIES__QUERIESMA", "Did you mean HUB_SERIES__QUERIESMAX?")]
    [InlineData("HUB_DATAFOLDER", "There are Alerts, Api, Data, ")]
    [InlineData("hub_demo__histroy", "Did you mean HUB_DEMO__HISTORY?")]
    public void In_the_environment_the_variable_and_the_nearest_one_are_named(string variable, string mend)
    {
        var line = Line(() => HubConfiguration.Build([new("Hub:Data", _folder.Path)], null, [new(variable, "1")]));

        Assert.Contains($"environment variable {variable} ", line, StringComparison.Ordinal);
        Assert.Contains(mend, line, StringComparison.Ordinal);
    }

    [Fact]
    public void On_the_command_line_the_key_is_named_and_no_data_folder_made()
    {
        var data = _folder.File("never");

        var line = Line(() => HubConfiguration.Build([new("Hub:Data", data), HubCommand.ParseSet("Series.QueriesMax=3")], null, []));

        Assert.Contains("--set Hub:Series.QueriesMax ", line, StringComparison.Ordinal);
        Assert.Contains("Did you mean Hub:Series:QueriesMax?", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(data));
    }

    [Fact]
    public void Http_and_mqtt_alone_are_endpoints_in_a_file_as_on_the_command_line()
    {
        File.WriteAllText(_folder.File("hub.json"), """{"http": "8081", "Hub": {"mqtt": 1884}}""");

        var configuration = HubConfiguration.Build([new("Hub:Data", _folder.Path)], null, []);
        Assert.Equal("127.0.0.1:8081", configuration["Hub:Http:Endpoint"]);
        Assert.Equal("127.0.0.1:1884", configuration["Hub:Mqtt:Endpoint"]);

        configuration = HubConfiguration.Build([new("Hub:Data", _folder.Path), HubCommand.ParseSet("mqtt=1885")], null, []);
        Assert.Equal("127.0.0.1:1885", configuration["Hub:Mqtt:Endpoint"]);
    }

    [Fact]
    public void The_line_of_a_key_is_found_in_any_JSON() => Check.Sample(
        Gen.Int[0, 5].Array[1, 20],
        blanks =>
        {
            // One key on each line, blank lines between, at two depths.
            var text = new StringBuilder("{\"group\": [{");
            var (row, rows) = (1, new List<int>());
            foreach (var (blank, i) in blanks.Select((b, i) => (b, i)))
            {
                text.Append('\n', blank + 1).Append(System.Globalization.CultureInfo.InvariantCulture, $"\"key{i}\": {{\"a\": [1, {{}}, [2]]}}, ");
                rows.Add(row += blank + 1);
            }

            var json = Encoding.UTF8.GetBytes(text.Append("}]}").ToString());
            Assert.Equal(rows, rows.Select((_, i) => HubKeys.Line(json, $"group:0:KEY{i}:a:2:0") ?? 0));
        },
        iter: 200);

    private static string Line(Action action)
    {
        var line = Assert.Throws<StartException>(action).Message;
        Assert.DoesNotContain('\n', line);
        return line;
    }
}
