using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Edge.Contract.Topics;

namespace Hub.Edge.Contract.Tests;

/// <summary>What the files of firmware-config for microcontrollers publish is what the hub reads.</summary>
public sealed partial class MicrocontrollerTests
{
    private static readonly string[] Measured = ["dust/pm10", "dust/pm2_5", "weather/pressure", "weather/relative_humidity", "weather/temperature"];

    [Fact]
    public void Esphome_publishes_packs()
    {
        var text = File("esphome/street.yaml").Replace("${municipality}", "braga", StringComparison.Ordinal).Replace("${station}", "rotunda", StringComparison.Ordinal);
        var readings = new List<string>();
        foreach (Match call in Call().Matches(text))
        {
            // Adjacent C strings are one; %% is a percent sign, every other %.. is filled in by printf.
            var format = string.Concat(Literal().Matches(call.Groups[2].Value).Select(literal => Regex.Unescape(literal.Groups[1].Value)));
            var filled = Placeholder().Replace(format, match => match.Value switch { "%%" => "%", "%ld" => "1795174200", _ => "21.5" });
            Assert.True(filled.Length < int.Parse(call.Groups[1].Value, CultureInfo.InvariantCulture) - 20, "the buffer has room for larger numbers");
            var decoded = Decoded.Json(filled);
            Assert.Empty(decoded.Refused);
            Assert.All(decoded.Readings, read => Assert.Equal(DateTime.UnixEpoch.AddSeconds(1795174200), read.Reading.PhenomenonTime));
            readings.AddRange(decoded.Readings.Select(read => $"{read.Reading.Sensor}/{read.Reading.Property}"));
        }

        Assert.Equal(Measured, readings.Order(StringComparer.Ordinal));
        Topics(text, "readings", "status");
        foreach (Match status in Status().Matches(text))
        {
            Assert.Contains(JsonElement.Parse(status.Groups[1].Value).GetProperty("state").GetString(), (string[])["online", "offline"]);
        }

        Assert.Equal(3, Status().Count(text));
    }

    [Fact]
    public void Tasmota_publishes_packs()
    {
        var text = File("tasmota/street.txt");
        var readings = Regex.Matches(text, @"DO Publish (\S+) (\[.*?\]) ENDON").Select(rule => Decoded.Json(rule.Groups[2].Value.Replace("%value%", "21.5", StringComparison.Ordinal)).Single());
        Assert.Equal(Measured, readings.Select(reading => $"{reading.Sensor}/{reading.Property}").Order(StringComparer.Ordinal));
        Topics(text, "readings");

        // As much as one rule holds.
        Assert.All(text.Split('\n').Where(line => line.StartsWith("Rule", StringComparison.Ordinal)), line => Assert.True(line.Length <= 511, $"{line.Length}"));
    }

    private static void Topics(string text, params string[] kinds)
    {
        var topics = Regex.Matches(text, @"hub/v1/[^\s'""]+").Select(match => match.Value).Distinct().ToArray();
        Assert.All(topics, topic => Assert.True(HubTopic.TryParse(topic, out var parsed) && parsed is { Municipality: "braga", Station: "rotunda" }, topic));
        Assert.Equal(kinds.Order(StringComparer.Ordinal), topics.Select(topic => topic.Split('/')[^1]).Distinct().Order(StringComparer.Ordinal));
    }

    private static string File(string path) => System.IO.File.ReadAllText(Path.Combine(Hub.Tests.Kit.Repository.Root, "firmware-config", path));

    [GeneratedRegex(@"char pack\[(\d+)\];\s*snprintf\(pack, sizeof\(pack\),(.*?)\(long\)", RegexOptions.Singleline)]
    private static partial Regex Call();

    [GeneratedRegex(@"""((?:[^""\\]|\\.)*)""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"%(?:%|ld|\.\df)")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"payload: '(\{.*\})'")]
    private static partial Regex Status();
}
