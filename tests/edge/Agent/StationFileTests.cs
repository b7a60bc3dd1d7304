using CsCheck;

namespace Hub.Edge.Agent.Tests;

public sealed class StationFileTests
{
    private const string Good = """
        municipality: braga
        station: avenida
        name: Avenida
        location: { latitude: 41.55, longitude: -8.42 }
        hub: { address: 127.0.0.1, port: 1883, tls: false, secretFile: secret }
        outbox: { folder: outbox, bytesMax: 536870912, ageMax: 30.00:00:00 }
        uplink: { packReadings: 100, window: 8, encoding: cbor }
        sensors:
          - name: air
            kind: simulated
            simulated:
              quantities: [pm2_5, no2]
              interval: 00:00:10
        """;

    [Fact]
    public void A_good_file_becomes_settings_with_their_places()
    {
        var file = StationFile.Parse("station.yaml", Good);
        Assert.Equal("braga", file.Values["municipality"]);
        Assert.Equal("41.55", file.Values["location:latitude"]);
        Assert.Equal("30.00:00:00", file.Values["outbox:ageMax"]);
        Assert.Equal("no2", file.Values["sensors:0:simulated:quantities:1"]);
        Assert.Equal(new FilePlace(13, 17), file.Places["sensors:0:simulated:interval"]);
        Assert.Equal("station.yaml:7:25: Agent:Uplink:PackReadings is 0; give 1 to 2000.", file.Locate("Agent:Uplink:PackReadings is 0; give 1 to 2000."));
        Assert.Equal("Agent:Uplink:AckTimeout is 0.", file.Locate("Agent:Uplink:AckTimeout is 0."));
    }

    [Theory]
    [InlineData("hub: { address: 127.0.0.1", "hub: { adress: 127.0.0.1", "station.yaml:5:8: hub.adress: unknown key; did you mean \"address\"?")]
    [InlineData("packReadings: 100", "pack_readings: 100", "station.yaml:7:11: uplink.pack_readings: unknown key; did you mean \"packReadings\"?")]
    [InlineData("    kind: simulated", "    knid: simulated", "station.yaml:10:5: sensors[0].knid: unknown key; did you mean \"kind\"?")]
    [InlineData("latitude: 41.55", "x: 41.55", "station.yaml:4:13: location.x: unknown key; known here: latitude, longitude|station.yaml:4:11: location.latitude: is missing")]
    [InlineData("port: 1883", "port: abc", "station.yaml:5:34: hub.port: expected a whole number, found \"abc\"")]
    [InlineData("port: 1883", "port: \"1883\"", "station.yaml:5:34: hub.port: expected a whole number, found \"1883\"")]
    [InlineData("port: 1883", "port: 18.5", "station.yaml:5:34: hub.port: expected a whole number, found \"18.5\"")]
    [InlineData("port: 1883", "port:", "station.yaml:5:33: hub.port: expected a whole number, found nothing")]
    [InlineData("latitude: 41.55", "latitude: north", "station.yaml:4:23: location.latitude: expected a number, found \"north\"")]
    [InlineData("latitude: 41.55", "latitude: .nan", "station.yaml:4:23: location.latitude: expected a number, found \".nan\"")]
    [InlineData("tls: false", "tls: no", "station.yaml:5:45: hub.tls: expected true or false, found \"no\"")]
    [InlineData("encoding: cbor", "encoding: xml", "station.yaml:7:51: uplink.encoding: expected json or cbor, found \"xml\"")]
    [InlineData("ageMax: 30.00:00:00", "ageMax: 30d", "station.yaml:6:56: outbox.ageMax: expected a duration such as 00:01:00 or 30.00:00:00, found \"30d\"")]
    [InlineData("name: Avenida", "name: ~", "station.yaml:3:7: name: expected a text, found nothing")]
    [InlineData("name: Avenida", "name: [a]", "station.yaml:3:7: name: expected a text, found a list")]
    [InlineData("quantities: [pm2_5, no2]", "quantities: pm2_5", "station.yaml:12:19: sensors[0].simulated.quantities: expected a list, found \"pm2_5\"")]
    [InlineData("quantities: [pm2_5, no2]", "quantities: [pm2_5, {}]", "station.yaml:12:27: sensors[0].simulated.quantities[1]: expected a text, found keys with values")]
    [InlineData("location: { latitude: 41.55, longitude: -8.42 }", "location: here", "station.yaml:4:11: location: expected keys with values, found \"here\"")]
    [InlineData("municipality: braga\n", "", "station.yaml:1:1: municipality: is missing")]
    [InlineData("hub: {", "hub: { <<: 1,", "station.yaml:5:8: hub.<<: unknown key; known here: address, port, pages, tls, caFile, certificateFile, keyFile, plainAllowed, secretFile, secret")]
    [InlineData("name: Avenida", "[a]: b", "station.yaml:3:1: expected a key, found a list or mapping")]
    public void A_mistake_is_named_with_file_line_column_key_and_what_was_expected(string right, string wrong, string messages)
    {
        var text = Good.ReplaceLineEndings("\n");
        Assert.Contains(right, text, StringComparison.Ordinal);
        var mistake = Assert.Throws<ConfigurationException>(() => StationFile.Parse("station.yaml", text.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Equal(messages.Split('|'), mistake.Messages);
    }

    [Theory]
    [InlineData("", "station.yaml:1:1: the file is empty.")]
    [InlineData("# only a comment\n", "station.yaml:1:1: the file is empty.")]
    [InlineData("a: 1\n---\nb: 2\n", "station.yaml: the file holds 2 documents; one is expected.")]
    [InlineData("municipality: a\nmunicipality: b\n", "station.yaml:2:1: not YAML: ")]
    [InlineData("municipality: \"unended\n", "station.yaml:1:15: not YAML: ")]
    [InlineData("municipality:\n\t- a", "station.yaml:1:1: not YAML: ")]
    [InlineData("'hub'---\n]", "station.yaml")]
    [InlineData("municipality: [1, 2\nb: : x", "station.yaml")]
    [InlineData("just text", "station.yaml:1:1: expected keys with values, found \"just text\"")]
    [InlineData("municipality: &x [*x]", "station.yaml")]
    [InlineData("a: &a x\n*a : 1\n", "station.yaml:2:1: an alias cannot be a key; write the key itself.")]
    [InlineData("a: &a x\nb: {*a : 1, *a : 2}\n", "station.yaml:2:5: an alias cannot be a key; write the key itself.")]
    [InlineData("a: &a x\nb: { ? [*a, 1] : 1, ? [*a, 1] : 2 }\n", "station.yaml:2:9: an alias cannot be a key; write the key itself.")]
    public void What_is_not_a_station_file_is_one_line(string text, string start)
    {
        var mistake = Assert.Throws<ConfigurationException>(() => StationFile.Parse("station.yaml", text));
        Assert.All(mistake.Messages, message => Assert.DoesNotContain('\n', message));
        Assert.StartsWith(start, mistake.Messages[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_grows_by_aliases_is_refused()
    {
        var text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
        for (var c = 'b'; c < 'l'; c++)
        {
            text += $"{c}: &{c} [*{(char)(c - 1)}, *{(char)(c - 1)}, *{(char)(c - 1)}, *{(char)(c - 1)}, *{(char)(c - 1)}, *{(char)(c - 1)}]\n";
        }

        Assert.Throws<ConfigurationException>(() => StationFile.Parse("station.yaml", text));
        Assert.Throws<ConfigurationException>(() => StationFile.Parse("station.yaml", "municipality: a\nstation: b\nsensors: &s [{ name: a, kind: b, replay: { quantities: *s } }]"));
    }

    [Fact]
    public void Any_text_is_read_or_refused_never_anything_else()
    {
        string[] pieces = ["municipality", "station", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "\"", "'", "!", "|", ">", "%", "---\n", "\t", "hub", "sensors", "x", "1", "é", "\u0000"];
        Gen.Int[0, pieces.Length - 1].Array[0, 30].Sample(
            parts =>
            {
                try
                {
                    StationFile.Parse("station.yaml", string.Concat(parts.Select(part => pieces[part])));
                }
                catch (ConfigurationException)
                {
                }
            },
            iter: 3000);
    }
}
