using System.Globalization;
using System.Text;
using CsCheck;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>What cannot be read is refused with the token, its place and what to do; nothing that can be typed brings the hub down.</summary>
public sealed class LanguageTests(LanguageTests.Shared shared) : IClassFixture<LanguageTests.Shared>
{
    [Theory]
    [InlineData("", "missing required parameter \"q\"")]
    [InlineData("SELEC x FROM y", "found SELEC, expected SELECT, SHOW at line 1, char 1")]
    [InlineData("SELECT mean(\"result\")\n FRM \"observation\"", "found FRM, expected FROM at line 2, char 2")]
    [InlineData("SELECT \"result\" FROM", "found EOF, expected identifier at line 1, char 21")]
    [InlineData("SELECT \"result FROM x", "found a \" that nothing closes at line 1, char 8")]
    [InlineData("SELECT \"result\" FROM observation WHERE station =~ 'x'", "found 'x', expected regex at line 1, char 51")]
    [InlineData("SELECT \"result\" FROM observation WHERE station =~ /(/", "bad regex /(/")]
    [InlineData("SELECT \"result\" FROM observation WHERE station =~ /(?=x)/", "bad regex /(?=x)/")]
    [InlineData("SELECT \"result\" FROM observation WHERE time > $from", "found $: parameters bound by name are not supported, write the value itself at line 1, char 47")]
    [InlineData("SELECT holt_winters(mean(\"result\"), 3, 4) FROM observation GROUP BY time(1h)", "undefined function holt_winters()")]
    [InlineData("SELECT mean(\"result\", 3) FROM observation", "invalid number of arguments for mean, expected 1, got 2 at line 1, char 8")]
    [InlineData("SELECT mean(\"result\"), \"quality\" FROM observation", "mixing aggregate and non-aggregate queries is not supported at line 1, char 1")]
    [InlineData("SELECT \"result\" FROM observation GROUP BY time(5m)", "GROUP BY requires at least one aggregate function")]
    [InlineData("SELECT mean(\"result\") FROM observation GROUP BY time(5)", "time dimension must have duration argument, such as time(5m) at line 1, char 54")]
    [InlineData("SELECT mean(\"result\") FROM observation GROUP BY time(5y)", "invalid duration 5y: a number with a unit of ns, u, ms, s, m, h, d or w at line 1, char 54")]
    [InlineData("SELECT derivative(mean(\"result\")) FROM observation", "derivative aggregate requires a GROUP BY interval at line 1, char 8")]
    [InlineData("SELECT mean(\"result\") FROM observation fill(5", "found EOF, expected ) at line 1, char 46")]
    [InlineData("SELECT mean(\"result\") FROM observation fill(x)", "fill requires an argument, e.g.: 0, null, none, previous, linear at line 1, char 45")]
    [InlineData("SELECT mean(\"result\") FROM observation tz('Europe/Lisboa')", "unable to find time zone Europe/Lisboa")]
    [InlineData("SELECT mean(\"result\") FROM observation ORDER BY result", "only ORDER BY time supported at this time at line 1, char 49")]
    [InlineData("SELECT mean(\"result\") INTO \"x\" FROM observation", "found INTO, expected FROM: nothing is written here, only asked at line 1, char 23")]
    [InlineData("DROP MEASUREMENT observation", "found DROP, expected SELECT, SHOW: nothing is written or changed here, only asked at line 1, char 1")]
    [InlineData("CREATE DATABASE x", "found CREATE, expected SELECT, SHOW: nothing is written or changed here, only asked at line 1, char 1")]
    [InlineData("SELECT mean(\"result\") FROM observation WHERE time > 'yesterday'", "invalid time 'yesterday'")]
    [InlineData("SELECT mean(\"result\") FROM observation WHERE time =~ /x/", "invalid operation: time and /x/ are not compatible")]
    [InlineData("SELECT mean(\"result\") FROM observation WHERE mean(\"result\") > 3", "invalid function call in condition: mean() at line 1, char 46")]
    [InlineData("SELECT sum(\"name\") FROM station", "unsupported sum of \"name\", which is text at line 1, char 12")]
    [InlineData("SELECT top(\"result\", \"station\", 3) FROM observation", "top() by tags is not supported: write top(field, number) and GROUP BY the tags at line 1, char 22")]
    [InlineData("SHOW STATS", "found STATS, expected DATABASES, FIELD, MEASUREMENTS, RETENTION, SERIES, TAG at line 1, char 6")]
    [InlineData("SHOW TAG VALUES FROM observation", "found EOF, expected WITH at line 1, char 33")]
    [InlineData("SELECT mean(\"result\") FROM other..observation", "database not found: other (there is \"hub\")")]
    [InlineData("SELECT mean(\"result\") FROM week.observation", "retention policy not found: week (there is \"autogen\")")]
    public async Task What_cannot_be_read_is_refused_with_its_place(string question, string error)
    {
        var (status, document) = await shared.Host.AskAsync(question);
        Assert.Equal(400, status);
        Assert.Contains(error, document.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_much_of_anything_is_refused()
    {
        string[] questions =
        [
            "SELECT " + new string('(', 10_000) + "x" + new string(')', 10_000) + " FROM observation",
            "SELECT " + string.Concat(Enumerable.Repeat("-", 10_000)) + "x FROM observation",
            "SELECT x FROM observation WHERE " + string.Join(" OR ", Enumerable.Repeat("station = 'x'", 5_000)),
            string.Concat(Enumerable.Repeat("SHOW DATABASES;", 1_000)),
            "SELECT x FROM " + string.Concat(Enumerable.Repeat("(SELECT x FROM ", 500)) + "observation" + new string(')', 500),
            "SELECT x FROM observation WHERE station =~ /" + new string('a', 50_000) + "/",
            new string(' ', 10) + new string('x', 300_000),
        ];
        foreach (var question in questions)
        {
            var (status, document) = await shared.Host.AskAsync(question);
            Assert.Equal(400, status);
            Assert.True(document.GetProperty("error").GetString()!.Length < 300);
        }
    }

    [Fact]
    public async Task Questions_that_are_damaged_are_answered_or_refused()
    {
        var host = shared.Host;
        var cases = int.TryParse(Environment.GetEnvironmentVariable("HUB_FUZZ_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted : 1_000;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("HUB_FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 1;
        var random = new Random(seed);
        var whole = Questions.Any.Array[300].Single(static _ => true, "000eQfhmvL11");
        var answered = 0;
        for (var i = 0; i < cases; i++)
        {
            var question = Damage(whole[random.Next(whole.Length)], whole[random.Next(whole.Length)], random);
            var (status, document) = await host.AskAsync(question);
            Assert.True(status == 200 ? document.TryGetProperty("results", out _) : status == 400 && document.GetProperty("error").GetString() is { Length: > 10 }, $"{status} to {question}: {document}");
            answered += status == 200 ? 1 : 0;
        }

        // Some damage is none.
        Assert.InRange(answered, 1, cases - 1);
    }

    private static string Damage(string question, string other, Random random)
    {
        var text = new StringBuilder(question);
        for (var n = random.Next(1, 4); n > 0 && text.Length > 2; n--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(7))
            {
                case 0:
                    text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at));
                    break;
                case 1:
                    text.Insert(at, "()\"'/\\*,;:=<>~!-+%&|^.$µ\n\0é0"[random.Next(28)]);
                    break;
                case 2:
                    text.Insert(at, other.AsSpan(random.Next(other.Length)));
                    break;
                case 3:
                    text[at] = (char)random.Next(1, 0x2000);
                    break;
                case 4:
                    text.Length = at;
                    break;
                case 5:
                    text.Replace(" = ", " =~ ").Replace("mean", "median").Replace("1h", "9223372036854775807ns");
                    break;
                default:
                    text.Insert(at, new string("(-+9"[random.Next(4)], random.Next(1, 100)));
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>A hub with one datastream, for all of them: they only ask.</summary>
    public sealed class Shared : IAsyncLifetime
    {
        internal QlHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await QlHost.StartAsync();
            var no2 = await Host.AddAsync(await Host.AddAsync("braga", "centro"), "ops", "no2", 60);
            await Host.AppendAsync([.. Enumerable.Range(0, 200).Select(i => new Series.Observation(no2, TwoStores.Begin.AddMinutes(i), i, default))]);
        }

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
