using System.Text.RegularExpressions;
using Hub.Cloud.Transfer.Mapping;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.Transfer.Tests;

public sealed partial class MappingTests
{
    [Theory]
    [InlineData("", "begins with 'sources:'")]
    [InlineData("sources: []", "begins with 'sources:'")]
    [InlineData("source: []", "line 1: Property 'source' not found")]
    [InlineData("sources:\n  - timeColum: a", "line 2: Property 'timeColum' not found")]
    [InlineData("sources:\n\n  - [", "line 3")]
    [InlineData("sources: [{ targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "timeColumn is missing")]
    [InlineData("sources: [{ timeColumn: t }]", "targets is empty")]
    [InlineData("sources: [{ timeColumn: t, zone: Europe/Lissabon, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "zone is 'Europe/Lissabon'")]
    [InlineData("sources: [{ timeColumn: t, delimiter: tabulator, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "delimiter is 'tabulator'")]
    [InlineData("sources: [{ timeColumn: t, encoding: cp850, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "encoding is 'cp850'")]
    [InlineData("sources: [{ timeColumn: t, headingLine: 2, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "headingLine one of them")]
    [InlineData("sources: [{ timeColumn: t, stamp: middle, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "stamp is 'middle'")]
    [InlineData("sources: [{ timeColumn: t, period: 1800, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "period is '1800'")]
    [InlineData("sources: [{ timeColumn: t, format: xml, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "format is 'xml'")]
    [InlineData("sources: [{ timeColumn: t, stations: { x: y }, targets: [{ station: \"{p}\", sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "stations has 'x: y'")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: b, sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "station is 'b'")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: \"a/{b\", sensor: s, columns: [{ column: v, quantity: no2 }] }] }]", "does not close")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: My sensor, columns: [{ column: v, quantity: no2 }] }] }]", "sensor is 'My sensor'")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [] }] }]", "columns is empty")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [{ quantity: no2 }] }] }]", "column is missing")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: n02 }] }] }]", "'n02' is not in the catalogue")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2, unit: ppb }] }] }]", "needs a factor")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2, factor: 0 }] }] }]", "factor must be")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, columns: [{ column: v, quantity: no2 }, { column: w, quantity: no2 }] }] }]", "'no2' twice")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, filterColumn: f, columns: [{ column: v, quantity: no2 }] }] }]", "belong together")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, coverageAfter: f, columns: [{ column: v, quantity: no2 }] }] }]", "needs coverageColumn")]
    [InlineData("sources: [{ timeColumn: t, targets: [{ station: a/b, sensor: s, qualityColumn: f, qualityWords: { S: splendid }, columns: [{ column: v, quantity: no2 }] }] }]", "'S: splendid'")]
    public void A_mistake_is_told_with_its_place(string text, string told)
    {
        var failure = Assert.Throws<TransferException>(() => MappingReader.Parse(text, "mapping.yaml"));
        Assert.StartsWith("mapping.yaml", failure.Message, StringComparison.Ordinal);
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public void The_mapping_that_comes_with_the_hub_and_the_examples_of_the_README_are_mappings()
    {
        Assert.NotEmpty(MappingReader.Read(Path.Combine(Repository.Root, "firmware-config", "import", "publishers.yaml")).Sources);
        var examples = Example().Matches(Repository.Read("cloud/Transfer/README.md"));
        Assert.True(examples.Count >= 2);
        Assert.All(examples, example => Assert.NotEmpty(MappingReader.Parse(example.Groups[1].Value, "README.md").Sources));
    }

    [Fact]
    public void Every_word_of_a_mapping_is_in_the_README()
    {
        var readme = Repository.Read("cloud/Transfer/README.md");
        var words = new[] { typeof(MappingSource), typeof(MappingTarget), typeof(MappingColumn) }.SelectMany(type => type.GetProperties()).Select(p => char.ToLowerInvariant(p.Name[0]) + p.Name[1..]);
        Assert.All(words.Distinct(), word => Assert.Contains($"`{word}`", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_is_described_by_the_first_source_that_fits_its_name()
    {
        var mapping = new ImportMapping { Sources = [new() { File = "a*.csv.gz" }, new() { File = "a1.csv" }, new() { File = "b?.csv" }] };
        Assert.Equal("a*.csv.gz", MappingReader.SourceOf(mapping, "m", "/x/a1.csv.gz").File);
        Assert.Equal("a1.csv", MappingReader.SourceOf(mapping, "m", "/x/a1.csv").File);
        Assert.Equal("b?.csv", MappingReader.SourceOf(mapping, "m", "b1.csv").File);
        Assert.Contains("says nothing of c.csv", Assert.Throws<TransferException>(() => MappingReader.SourceOf(mapping, "m", "c.csv")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quality_is_read_as_it_is_written()
    {
        for (var flags = 0; flags < 1 << 12; flags++)
        {
            Assert.True(QualityText.TryRead(QualityText.Of((Quality)flags), out var read));
            Assert.Equal((Quality)flags, read);
        }

        Assert.Equal("warming-up out-of-range", QualityText.Of(Quality.OutOfRange | Quality.WarmingUp));
        Assert.True(QualityText.TryRead("good", out var good) && good == Quality.Good);
        Assert.False(QualityText.TryRead("bad", out _));
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
