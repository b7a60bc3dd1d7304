using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Claims;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Contract.Tests;

/// <summary>Twin, commands, claims and bundles: the examples of FORMAT.md, and what is refused.</summary>
public sealed partial class StationTalkTests
{
    [Fact]
    public void The_page_is_read_and_written_again_as_it_stands()
    {
        Same("desired", utf8 => DesiredState.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));
        Same("reported", utf8 => ReportedState.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));
        Same("reply", utf8 => CommandReply.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));
        Same("claim", utf8 => ClaimRequest.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));
        Same("claimed", utf8 => ClaimReply.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));
        Same("manifest", utf8 => BundleManifest.TryRead(utf8, out var read, out var problem) ? read.ToUtf8() : Wrong(problem));

        static byte[] Wrong(string problem) => throw new InvalidOperationException(problem);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("null", "null")]
    [InlineData("[]", "could not be converted")]
    [InlineData("{}", "version")]
    [InlineData("""{"version":"7"}""", "version")]
    [InlineData("""{"version":7,"version":8}""", "version")]
    [InlineData("""{"version":0}""", "version is 0")]
    [InlineData("""{"version":7,"settings":[]}""", "settings is not an object")]
    [InlineData("""{"version":7,"trial":"00:00:01"}""", "trial is 00:00:01")]
    [InlineData("""{"version":7,"rules":[null]}""", "rules[0] is null")]
    [InlineData("""{"version":7,"rules":[{"slug":"A","property":"pm10","crossing":"above","setLevel":1,"clearLevel":1}]}""", "rules[0].slug")]
    [InlineData("""{"version":7,"rules":[{"slug":"a","property":"pm11","crossing":"above","setLevel":1,"clearLevel":1}]}""", "rules[0].property")]
    [InlineData("""{"version":7,"rules":[{"slug":"a","property":"pm10","crossing":"sideways","setLevel":1,"clearLevel":1}]}""", "rules[0].crossing")]
    [InlineData("""{"version":7,"rules":[{"slug":"a","property":"pm10","crossing":"below","setLevel":2,"clearLevel":1}]}""", "rules[0].clearLevel")]
    [InlineData("""{"version":7,"rules":[{"slug":"a","property":"pm10","crossing":"above","setLevel":2,"clearLevel":1},{"slug":"a","property":"pm10","crossing":"above","setLevel":2,"clearLevel":1}]}""", "a second time")]
    [InlineData("""{"version":7,"agent":{"version":"1.0","bundles":[]}}""", "agent.version")]
    [InlineData("""{"version":7,"agent":{"version":"1.0.0","bundles":[null]}}""", "bundles")]
    [InlineData("""{"version":7,"agent":{"version":"1.0.0","bundles":[{"runtime":"linux-x64","address":"ftp://x/y","bytes":1,"sha256":""}]}}""", "address")]
    [InlineData("""{"version":7,"agent":{"version":"1.0.0","bundles":[{"runtime":"linux-x64","address":"http://x/y","bytes":0,"sha256":""}]}}""", "bytes")]
    [InlineData("""{"version":7,"agent":{"version":"1.0.0","bundles":[{"runtime":"linux-x64","address":"http://x/y","bytes":1,"sha256":"ABC"}]}}""", "sha256")]
    public void A_wrong_desired_document_is_refused_with_its_place(string json, string said)
    {
        Assert.False(DesiredState.TryRead(System.Text.Encoding.UTF8.GetBytes(json), out _, out var problem));
        Assert.Contains(said, problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem);
    }

    [Fact]
    public void Unknown_members_are_passed_over() =>
        Assert.True(DesiredState.TryRead("""{"version":7,"colour":{"a":[1]}}"""u8, out _, out _));

    [Theory]
    [InlineData("../hub-agent")]
    [InlineData("/hub-agent")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\\b")]
    [InlineData("manifest.json")]
    [InlineData("")]
    public void A_bundle_cannot_write_where_it_wants(string path)
    {
        var manifest = new BundleManifest(1, "1.0.0", "linux-x64", [new("hub-agent", 1, new string('0', 64)), new(path, 1, new string('0', 64))]);
        Assert.False(BundleManifest.TryRead(manifest.ToUtf8(), out _, out var problem));
        Assert.Contains("files", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Versions_are_in_the_order_of_semantic_versioning()
    {
        // The example of section 11.4 of Semantic Versioning 2.0.0, and numbers that text would order wrongly.
        string[] order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"];
        for (var i = 0; i < order.Length; i++)
        {
            for (var j = 0; j < order.Length; j++)
            {
                Assert.True(AgentVersion.TryParse(order[i], out var a) && AgentVersion.TryParse(order[j], out var b) && Math.Sign(a.CompareTo(b)) == Math.Sign(i.CompareTo(j)));
                Assert.Equal(order[i], a.ToString());
            }
        }

        Assert.All(["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.x", "-1.2.3", "1.2.3+b", "1.2.9999999999"], text => Assert.False(AgentVersion.TryParse(text, out _)));
    }

    [Theory]
    [InlineData("7K3M-Q9XT-2HWB", "7K3M-Q9XT-2HWB")]
    [InlineData(" 7k3mq9xt2hwb ", "7K3M-Q9XT-2HWB")]
    [InlineData("oIl0-0000-0000", "0110-0000-0000")]
    [InlineData("7K3M-Q9XT-2HW", null)]
    [InlineData("7K3M-Q9XT-2HWBB", null)]
    [InlineData("7K3M-Q9XT-2HWU", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Claim_codes_are_read_as_people_type_them(string? typed, string? code)
    {
        Assert.Equal(code is not null, ClaimCode.TryParse(typed, out var read));
        Assert.Equal(code, read);
    }

    [Fact]
    public void Every_claim_code_made_is_read()
    {
        var random = new Random(7);
        for (var i = 0; i < 1_000; i++)
        {
            var bytes = new byte[ClaimCode.CharactersCount];
            random.NextBytes(bytes);
            var code = ClaimCode.Make(bytes);
            Assert.True(ClaimCode.TryParse(code, out var read));
            Assert.Equal(code, read);
        }
    }

    [Fact]
    public void Nothing_makes_the_readers_throw()
    {
        var random = new Random(11);
        byte[][] seeds = [Example("desired"), Example("reported"), Example("reply"), Example("claim"), Example("claimed"), Example("manifest")];
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])seeds[i % seeds.Length].Clone();
            for (var j = random.Next(1, 6); j > 0; j--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            _ = DesiredState.TryRead(cut, out _, out _);
            _ = ReportedState.TryRead(cut, out _, out _);
            _ = CommandReply.TryRead(cut, out _, out _);
            _ = ClaimRequest.TryRead(cut, out _, out _);
            _ = ClaimReply.TryRead(cut, out _, out _);
            _ = BundleManifest.TryRead(cut, out _, out _);
        }
    }

    private static void Same(string name, Func<byte[], byte[]> roundTrip)
    {
        var example = Example(name);
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(example), JsonElement.Parse(roundTrip(example))), name);
    }

    private static byte[] Example(string name) =>
        System.Text.Encoding.UTF8.GetBytes(Blocks().Matches(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "FORMAT.md"))).Single(match => match.Groups[1].Value == name).Groups[2].Value);

    [GeneratedRegex("```json ([a-z]+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
