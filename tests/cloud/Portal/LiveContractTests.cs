using System.Text.RegularExpressions;
using Hub.Cloud.Portal.Tests.World;
using Xunit;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The scripts and the API are built apart; what one writes, the other must read. (The journey through the pages of the real hub shows it as a whole.)</summary>
public sealed partial class LiveContractTests
{
    /// <summary>Members of a row as the script names them, each with the call by which the API writes it.</summary>
    private static readonly (string Read, string Written)[] Row =
    [
        ("datastream", "WriteNumberValue(d.Id)"),
        ("stationId", "WriteStringValue(d.Station.Municipality + \"/\" + d.Station.Slug)"),
        ("property", "WriteStringValue(d.Quantity.Id)"),
        ("time", "WriteNumberValue(new DateTimeOffset(o.PhenomenonTime).ToUnixTimeMilliseconds())"),
        ("result", "WriteNumberValue(o.Result)"),
        ("quality", "WriteStringValue(word)"),
    ];

    [Fact]
    public void Scripts_read_the_rows_that_the_event_stream_writes()
    {
        var api = File.ReadAllText(Path.Combine(Source.Folder, "..", "Api", "LiveFrame.cs"));
        var script = File.ReadAllText(Path.Combine(Source.Folder, "web", "src", "live.ts"));
        Assert.Equal(Row.Select(one => one.Written), Writing().Matches(RowMethod().Match(api).Groups[1].Value).Select(static one => one.Value));
        Assert.Equal(Row.Select(one => one.Read), Member().Matches(RowType().Match(script).Groups[1].Value).Select(static one => one.Groups[1].Value));
        Assert.Contains("addEventListener(\"observations\"", script, StringComparison.Ordinal);
        Assert.Contains("Begin(events, \"observations\")", api, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"static void Row\(.*?\)\s*\{(.*?)\n    \}", RegexOptions.Singleline)]
    private static partial Regex RowMethod();

    [GeneratedRegex(@"Write(?:Number|String)Value\(.*\)(?=;)")]
    private static partial Regex Writing();

    [GeneratedRegex(@"type ObservationRow = \[(.*?)\];", RegexOptions.Singleline)]
    private static partial Regex RowType();

    [GeneratedRegex(@"(\w+)\??: ")]
    private static partial Regex Member();
}
