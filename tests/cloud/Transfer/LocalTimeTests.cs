using Hub.Cloud.Transfer.Import;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>Local time stamps around the changes of the clock.</summary>
public sealed class LocalTimeTests
{
    [Theory]
    // Portugal goes back at 02:00 (01:00 UTC) on 25 October 2026, Switzerland at 03:00: both at 01:00 UTC.
    [InlineData("Europe/Lisbon", "2026-10-25 00:30,2026-10-25 01:00,2026-10-25 01:30,2026-10-25 01:00,2026-10-25 01:30,2026-10-25 02:00", "23:30,00:00,00:30,01:00,01:30,02:00")]
    [InlineData("Europe/Zurich", "2026-10-25 01:30,2026-10-25 02:00,2026-10-25 02:30,2026-10-25 02:00,2026-10-25 02:30,2026-10-25 03:00", "23:30,00:00,00:30,01:00,01:30,02:00")]
    [InlineData("Atlantic/Azores", "2026-10-24 23:30,2026-10-25 00:00,2026-10-25 00:30,2026-10-25 00:00,2026-10-25 00:30,2026-10-25 01:00", "23:30,00:00,00:30,01:00,01:30,02:00")]
    [InlineData("+01:00", "2026-10-25 01:30,2026-10-25 02:00,2026-10-25 02:30", "00:30,01:00,01:30")]
    public async Task In_the_hour_that_comes_twice_the_order_of_the_rows_decides(string zone, string stamps, string utc)
    {
        foreach (var newestFirst in new[] { false, true })
        {
            using var bench = new TransferBench();
            var rows = stamps.Split(',').Select((stamp, i) => $"{stamp},{i}");
            var file = bench.Write("a.csv", "time,v\n" + string.Join('\n', newestFirst ? rows.Reverse() : rows));
            var summary = await bench.ImportAsync(
                $"sources: [{{ timeColumn: time, zone: {(zone[0] == '+' ? $"\"{zone}\"" : zone)}, newestFirst: {(newestFirst ? "true" : "false")}, targets: [{{ station: braga/rotunda, sensor: air, columns: [{{ column: v, quantity: no2 }}] }}] }}]", file);

            Assert.Equal(0, summary.Refused);
            var values = await bench.ValuesAsync("braga/rotunda", "air", "no2", 0);
            Assert.Equal(utc.Split(','), values.Select(v => v.Time.ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Equal(Enumerable.Range(0, values.Count).Select(i => (double)i), values.Select(v => v.Result));
        }
    }

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29 01:30", "2026-03-29 00:30", "2026-03-29 02:00")]
    [InlineData("Europe/Zurich", "2026-03-29 02:30", "2026-03-29 01:30", "2026-03-29 03:00")]
    [InlineData("America/Toronto", "2026-03-08 02:00", "2026-03-08 01:30", "2026-03-08 03:00")]
    public async Task A_time_the_clock_left_out_is_refused_and_its_neighbours_are_an_hour_apart(string zone, string missing, string before, string after)
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv", $"time,v\n{before},1\n{missing},2\n{after},3\n");
        var summary = await bench.ImportAsync($"sources: [{{ timeColumn: time, zone: {zone}, targets: [{{ station: braga/rotunda, sensor: air, columns: [{{ column: v, quantity: no2 }}] }}] }}]", file);

        Assert.Equal((2, 1), (summary.Stored, summary.Refused));
        Assert.Contains($"a.csv,3,time,{missing},time,", Assert.Single(bench.Report()), StringComparison.Ordinal);
        var values = await bench.ValuesAsync("braga/rotunda", "air", "no2", 0);
        Assert.Equal(TimeSpan.FromMinutes(30), values[1].Time - values[0].Time);
    }

    [Fact]
    public async Task A_wrong_time_is_one_refusal_for_a_row_and_none_for_a_row_without_values()
    {
        using var bench = new TransferBench();
        const string Mapping =
            """
            sources:
              - timeColumn: time
                zone: Europe/Rome
                targets:
                  - { station: braga/rotunda, sensor: air, columns: [{ column: a, quantity: no2 }] }
                  - { station: evora/rossio, sensor: air, columns: [{ column: b, quantity: no2 }, { column: c, quantity: o3 }] }
            """;
        var summary = await bench.ImportAsync(Mapping, bench.Write("a.csv", "time,a,b,c\n2026-03-29 01:00,1,2,3\n2026-03-29 02:00,,,\n2026-03-29 02:00,4,5,6\n2026-03-29 03:00,7,,8\n"));
        Assert.Equal((4, 5, 1, 4), (summary.Rows, summary.Stored, summary.Refused, summary.Missing));
        Assert.StartsWith("a.csv,4,time,2026-03-29 02:00,time,", Assert.Single(bench.Report()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_series_of_a_long_table_stands_where_it_stands()
    {
        using var bench = new TransferBench();
        var file = bench.Write(
            "a.csv",
            """
            time,place,what,v
            2026-10-25 01:00,a,no2,1
            2026-10-25 01:00,a,o3,2
            2026-10-25 01:00,b,no2,3
            2026-10-25 01:00,a,no2,4
            2026-10-25 01:00,a,o3,5
            2026-10-25 01:00,b,no2,6
            """);
        await bench.ImportAsync(
            """
            sources:
              - timeColumn: time
                zone: Europe/Lisbon
                stations: { a: braga/rotunda, b: evora/rossio }
                targets: [{ station: "{place}", sensor: air, columns: [{ column: v, quantity: "{what}" }] }]
            """,
            file);

        var first = new DateTime(2026, 10, 25, 0, 0, 0, DateTimeKind.Utc);
        Assert.Equal([(first, 1.0), (first.AddHours(1), 4.0)], await bench.ValuesAsync("braga/rotunda", "air", "no2", 0));
        Assert.Equal([(first, 2.0), (first.AddHours(1), 5.0)], await bench.ValuesAsync("braga/rotunda", "air", "o3", 0));
        Assert.Equal([(first, 3.0), (first.AddHours(1), 6.0)], await bench.ValuesAsync("evora/rossio", "air", "no2", 0));
    }

    [Fact]
    public void Rows_in_order_come_back_as_the_instants_they_were_in_every_zone()
    {
        // Every quarter of an hour of two years, written by the local clock and read back.
        foreach (var name in new[] { "Europe/Lisbon", "Europe/Zurich", "Europe/Dublin", "Atlantic/Azores", "America/Toronto", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu" })
        {
            Assert.True(LocalTime.TryFind(name, out var zone), name);
            foreach (var newestFirst in new[] { false, true })
            {
                var clock = new SourceClock(zone, newestFirst);
                var previous = clock.Start;
                var begin = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);
                var instants = Enumerable.Range(0, 2 * 365 * 96).Select(i => begin.AddMinutes(15 * i));
                foreach (var instant in newestFirst ? instants.Reverse() : instants)
                {
                    var shown = DateTime.SpecifyKind(instant + zone.GetUtcOffset(instant), DateTimeKind.Unspecified);
                    Assert.Equal(instant.Ticks, clock.ToUtc(shown, ref previous));
                }
            }
        }
    }

    [Theory]
    [InlineData("iso", "2026-01-01T12:00:00.1234567+01:00", "2026-01-01T11:00:00.123456Z")]
    [InlineData("iso", "2026-01-01 12:00:00 -03:00", "2026-01-01T15:00:00Z")]
    [InlineData("iso", "2026-07-01 12:00", "2026-07-01T11:00:00Z")]
    [InlineData("iso", "2026-07-01", "2026-06-30T23:00:00Z")]
    [InlineData("unix", "1767268800", "2026-01-01T12:00:00Z")]
    [InlineData("unix", "1767268800.25", "2026-01-01T12:00:00.25Z")]
    [InlineData("unix-ms", "1767268800250", "2026-01-01T12:00:00.25Z")]
    [InlineData("unix-us", "1767268800250001", "2026-01-01T12:00:00.250001Z")]
    [InlineData("unix-ns", "1767268800250001999", "2026-01-01T12:00:00.250001Z")]
    [InlineData("dd.MM.yyyy HH:mm", "01.07.2026 12:00", "2026-07-01T11:00:00Z")]
    public async Task Stamps_are_read_in_every_form(string form, string text, string expected)
    {
        using var bench = new TransferBench();
        await bench.ImportAsync(
            $"sources: [{{ timeColumn: t, timeFormat: {form}, zone: Europe/Lisbon, targets: [{{ station: braga/rotunda, sensor: air, columns: [{{ column: v, quantity: no2 }}] }}] }}]", bench.Write("a.csv", $"t,v\n{text},1\n"));
        var (time, _) = Assert.Single(await bench.ValuesAsync("braga/rotunda", "air", "no2", 0));
        Assert.Equal(expected, time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_stamp_at_the_end_marks_the_period_before_it()
    {
        using var bench = new TransferBench();
        await bench.ImportAsync(
            "sources: [{ timeColumn: d, timeColumnSecond: h, timeFormat: dd-MM-yyyy HH:mm, zone: Europe/Lisbon, stamp: end, period: \"01:00:00\", targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]",
            bench.Write("a.csv", "d,h,v\n01-07-2026,12:00,1\n"));
        Assert.Equal((new DateTime(2026, 7, 1, 10, 0, 0, DateTimeKind.Utc), 1.0), Assert.Single(await bench.ValuesAsync("braga/rotunda", "air", "no2", 3600)));
    }
}
