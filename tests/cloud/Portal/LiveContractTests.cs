using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Cloud.Portal.Tests.World;
using Xunit;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The scripts and the API are built apart; what one writes, the other must read.</summary>
public sealed partial class LiveContractTests
{
    [Fact]
    public void Scripts_read_only_what_the_event_stream_writes()
    {
        var api = File.ReadAllText(Path.Combine(Source.Folder, "..", "Api", "LiveEndpoint.cs"));
        var script = File.ReadAllText(Path.Combine(Source.Folder, "web", "src", "live.ts"));
        var written = Parameter().Matches(ApiRecord().Match(api).Groups[1].Value).Select(static one => JsonNamingPolicy.CamelCase.ConvertName(one.Groups[1].Value)).ToArray();
        var read = Member().Matches(EventInterface().Match(script).Groups[1].Value).Select(static one => one.Groups[1].Value).ToArray();

        Assert.Contains("phenomenonTime", written);
        Assert.Contains("result", read);
        Assert.Empty(read.Except(written));
        Assert.Contains("addEventListener(\"observation\"", script, StringComparison.Ordinal);
        Assert.Contains("\"observation\"", api, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"record LiveObservation\(([^;]*)\);", RegexOptions.Singleline)]
    private static partial Regex ApiRecord();

    [GeneratedRegex(@"(\w+)\s*(?:,|$)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"interface ObservationEvent \{(.*?)\n\}", RegexOptions.Singleline)]
    private static partial Regex EventInterface();

    [GeneratedRegex(@"^\s+(\w+): ", RegexOptions.Multiline)]
    private static partial Regex Member();
}
