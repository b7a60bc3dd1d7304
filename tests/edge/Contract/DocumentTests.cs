using System.Text.RegularExpressions;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Topics;

namespace Hub.Edge.Contract.Tests;

/// <summary>FORMAT.md is what others build their senders from: its examples are packs, and its lists are complete.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "FORMAT.md"));

    [Fact]
    public void Its_json_examples_are_read()
    {
        MatchCollection examples = JsonBlock().Matches(Document);
        Assert.True(examples.Count >= 3);
        foreach (Match example in examples)
        {
            Decoded decoded = Decoded.Json(example.Groups[1].Value);
            Assert.Empty(decoded.Refused);
            Assert.NotEmpty(decoded.Readings);
        }
    }

    [Fact]
    public void Its_cbor_example_says_the_same_as_its_first_json_example()
    {
        string hex = Regex.Replace(Assert.Single(HexBlock().Matches(Document)).Groups[1].Value, @"\s", "");
        Assert.Equal(Decoded.Json(JsonBlock().Matches(Document)[0].Groups[1].Value).Readings, Decoded.Cbor(hex).Readings);
    }

    [Fact]
    public void It_names_every_reason_unit_of_ours_and_topic()
    {
        Assert.All(Enum.GetNames<RefusalReason>(), static name => Assert.Contains($"| {name} |", Document, StringComparison.Ordinal));
        Assert.All(Enum.GetNames<Readings.Quality>(), static name => Assert.Contains(name, Document, StringComparison.Ordinal));
        Assert.Contains(HubTopic.Readings("{municipality}", "{station}"), Document, StringComparison.Ordinal);
        Assert.Contains(HubTopic.Alarm("{municipality}", "{rule}", "{station}"), Document, StringComparison.Ordinal);
        foreach (Quantity quantity in QuantityCatalogue.All)
        {
            Assert.Contains($"| `{quantity.Id}` | `{quantity.SenmlUnit}` | {quantity.Averaging} |", Document, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex("```hex\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex HexBlock();
}
