using System.Text.RegularExpressions;
using System.Xml.Linq;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Tests;

public sealed partial class SpeechTests
{
    private static readonly DateTime Moment = new(2026, 7, 5, 23, 30, 0, DateTimeKind.Utc);

    [Fact]
    public void Portuguese_writes_a_decimal_comma_and_English_a_point()
    {
        Assert.Equal("12,3", Speech.Pt.Figure(12.34, 1));
        Assert.Equal("12.3", Speech.En.Figure(12.34, 1));
        Assert.Equal("-0,50", Speech.Pt.Figure(-0.5, 2));
        Assert.Equal("1,234", Speech.En.Figure(1234, 0));
        Assert.DoesNotContain(".", Speech.Pt.Figure(1234567, 0), StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_is_written_with_the_sides_of_the_globe()
    {
        Assert.Equal("41,55030° N, 8,42290° O", Speech.Pt.Coordinates(41.5503, -8.4229));
        Assert.Equal("25.96000° S, 32.58000° E", Speech.En.Coordinates(-25.96, 32.58));
    }

    [Theory]
    [InlineData(0, "agora", "now")]
    [InlineData(-5, "agora", "now")]
    [InlineData(12, "há 12 s", "12 s ago")]
    [InlineData(59.9, "há 59 s", "59 s ago")]
    [InlineData(60, "há 1 min", "1 min ago")]
    [InlineData(3_599, "há 59 min", "59 min ago")]
    [InlineData(3_600, "há 1 h", "1 h ago")]
    [InlineData(172_800, "há 2 dias", "2 days ago")]
    public void Ages_in_words(double seconds, string pt, string en)
    {
        Assert.Equal(pt, Speech.Pt.Age(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(en, Speech.En.Age(TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void Times_are_those_of_the_municipality()
    {
        var lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        var azores = TimeZoneInfo.FindSystemTimeZoneById("Atlantic/Azores");
        Assert.Equal("06/07, 00:30", Speech.Pt.Moment(Moment, lisbon, Moment));
        Assert.Equal("6 Jul, 00:30", Speech.En.Moment(Moment, lisbon, Moment));
        Assert.Equal("05/07, 23:30", Speech.Pt.Moment(Moment, azores, Moment));
        Assert.Equal("06/07/2026, 00:30", Speech.Pt.Moment(Moment, lisbon, Moment.AddYears(1)));
    }

    [Fact]
    public void Periods_and_durations()
    {
        Assert.Equal("15 min", Speech.Pt.Period(TimeSpan.FromMinutes(15)));
        Assert.Equal("90 s", Speech.Pt.Period(TimeSpan.FromSeconds(90)));
        Assert.Equal("1 d", Speech.En.Period(TimeSpan.FromDays(1)));
        Assert.Equal("instantâneo", Speech.Pt.Period(TimeSpan.Zero));
        Assert.Equal("3 h 10 min", Speech.Pt.Duration(TimeSpan.FromMinutes(190)));
        Assert.Equal("2 d 4 h", Speech.En.Duration(TimeSpan.FromHours(52)));
        Assert.Equal("40 s", Speech.En.Duration(TimeSpan.FromSeconds(40)));
    }

    [Fact]
    public void Every_quality_flag_has_words_in_both_languages()
    {
        foreach (var flag in Enum.GetValues<Quality>())
        {
            Assert.NotEmpty(Speech.Pt.QualityWords(flag));
            Assert.NotEqual(Speech.Pt.QualityWords(flag), Speech.En.QualityWords(flag));
        }

        Assert.Equal("stuck value, incomplete period", Speech.En.QualityWords(Quality.Stuck | Quality.Incomplete));
    }

    [Fact]
    public void The_scripts_know_every_quality_flag_by_bit_and_name()
    {
        var script = Source.Files(".ts").Single(file => file.Path.EndsWith("/page.ts", StringComparison.Ordinal)).Text;
        foreach (var flag in Enum.GetValues<Quality>().Where(flag => flag != Quality.Good))
        {
            Assert.Contains($"[{(int)flag}, \"{flag.ToString().ToLowerInvariant()}\"]", script, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Accepted_language_follows_the_weights()
    {
        Assert.Same(Speech.En, Speech.Accepted([("de-DE", 1), ("pt", 0.2), ("en-US", 0.8)]));
        Assert.Same(Speech.Pt, Speech.Accepted([("pt-BR", 1), ("en", 0.9)]));
        Assert.Null(Speech.Accepted([("fr", 1), ("en", 0)]));
    }

    [Fact]
    public void Every_unit_of_the_catalogue_is_written_for_people()
    {
        foreach (var quantity in QuantityCatalogue.All)
        {
            var unit = Units.Of(quantity);
            Assert.True(unit is not ("Cel" or "ug/m3" or "/100" or "%RH" or "count" or "%EL" or "W/m2"), $"{quantity.Id} would be shown in {unit}.");
            Assert.InRange(Units.DecimalsOf(quantity), 0, 2);
        }
    }

    [Fact]
    public void Both_languages_have_the_same_texts_with_the_same_places()
    {
        var (pt, en) = (Texts("Texts.resx"), Texts("Texts.en.resx"));
        Assert.Equal(pt.Keys.Order(), en.Keys.Order());
        foreach (var (key, text) in pt)
        {
            Assert.False(string.IsNullOrWhiteSpace(text), key);
            Assert.False(string.IsNullOrWhiteSpace(en[key]), key);
            Assert.Equal(Places(text), Places(en[key]));
        }

        static IEnumerable<string> Places(string text) => Place().Matches(text).Select(match => match.Value).Distinct().Order();
    }

    [Fact]
    public void Every_text_used_exists_and_every_text_is_used()
    {
        var texts = Texts("Texts.resx").Keys.ToHashSet();
        var all = Source.Files(".cs", ".cshtml", ".ts").ToArray();
        foreach (var (path, text) in all)
        {
            foreach (Match use in Use().Matches(text))
            {
                var key = use.Groups["key"].Value;
                var exists = key.EndsWith('.') ? texts.Any(one => one.StartsWith(key, StringComparison.Ordinal)) : texts.Contains(key) || texts.Contains(key + ".one");
                Assert.True(exists, $"{path} uses the text '{key}', which does not exist.");
            }
        }

        var sources = string.Concat(all.Select(file => file.Text));
        var prefixes = Prefix().Matches(sources).Select(match => match.Groups["key"].Value).ToHashSet();
        foreach (var key in texts)
        {
            var stem = Plural().Replace(key, "");
            var used = sources.Contains($"\"{key}\"", StringComparison.Ordinal)
                || (stem != key && sources.Contains($"\"{stem}\"", StringComparison.Ordinal))
                || prefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal));
            Assert.True(used, $"Nothing uses the text '{key}'.");
        }
    }

    private static Dictionary<string, string> Texts(string file) =>
        XDocument.Load(Path.Combine(Source.Folder, "Texts", file)).Root!.Elements("data").ToDictionary(data => data.Attribute("name")!.Value, data => data.Element("value")!.Value);

    [GeneratedRegex("""(?:\bsay\[(?:[a-z]+ \? )?|\bsay\.Of\(|\bsay\.Count\(|\bword\(|\bthis\[|\bOf\()["](?<key>[a-z0-9]+(?:\.[a-z0-9]+)*\.?)["]""")]
    private static partial Regex Use();

    [GeneratedRegex("""["`](?<key>[a-z]+(?:\.[a-z]+)*\.)(?:["] \+|\$\{)""")]
    private static partial Regex Prefix();

    [GeneratedRegex(@"\{\d+\}")]
    private static partial Regex Place();

    [GeneratedRegex(@"\.(one|many)$")]
    private static partial Regex Plural();
}
