using CsCheck;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>An import that was stopped or killed goes on and ends as one that was not.</summary>
public sealed class ResumeTests
{
    private const string Mapping =
        """
        sources:
          - timeColumn: time
            timeFormat: yyyy-MM-dd HH:mm
            zone: Europe/Lisbon
            period: "00:10:00"
            stations: { a: braga/rotunda, b: evora/rossio }
            targets:
              - station: "{place}"
                sensor: air
                columns: [{ column: no2, quantity: no2 }, { column: o3, quantity: o3 }]
        """;

    [Fact]
    public async Task Wherever_it_is_interrupted_nothing_is_missing_twice_or_counted_twice() =>
        await Gen.Select(Gen.Int[1, 12], Gen.Int[1, 40], Gen.Bool, Gen.Bool).SampleAsync(
            async (commit, batch, killed, edited) =>
            {
                using var whole = new TransferBench();
                var files = Files(whole);
                var expected = await whole.ImportAsync(whole.Request(Mapping, files) with { BatchObservations = batch });

                using var bench = new TransferBench();
                var request = bench.Request(Mapping, Files(bench)) with { BatchObservations = batch };
                using var stop = new CancellationTokenSource();
                var commits = 0;
                bench.Series.BeforeCommit = _ =>
                {
                    if (++commits == commit)
                    {
                        // Killed: this commit does not happen, and nothing notes it. Stopped: it happens, and then no other does.
                        return killed ? throw new OperationCanceledException("killed") : stop.CancelAsync();
                    }

                    return Task.CompletedTask;
                };
                try
                {
                    await bench.ImportAsync(request, stop.Token);
                }
                catch (OperationCanceledException)
                {
                    // As meant.
                }

                bench.Series.BeforeCommit = null;
                if (edited && commits >= commit)
                {
                    // Another mapping is another import: it begins anew and finds duplicates.
                    await File.AppendAllTextAsync(request.Mapping!, "\n# changed\n");
                    var anew = await bench.ImportAsync(request);
                    Assert.Equal((0, expected.Stored), (anew.RowsResumed, anew.Stored + anew.Duplicate));
                }
                else
                {
                    var resumed = await bench.ImportAsync(request);
                    if (commits >= commit)
                    {
                        Assert.True(killed || resumed.RowsResumed > 0);
                        Assert.Equal((expected.Rows, expected.Stored, expected.Refused, expected.Missing), (resumed.Rows, resumed.Stored + resumed.Duplicate, resumed.Refused, resumed.Missing));
                        Assert.Equal(0, resumed.Duplicate);
                    }
                }

                Assert.Equal(whole.Report(), bench.Report());
                foreach (var (place, property) in new[] { ("braga/rotunda", "no2"), ("braga/rotunda", "o3"), ("evora/rossio", "no2"), ("evora/rossio", "o3") })
                {
                    Assert.Equal(await whole.ValuesAsync(place, "air", property, 600), await bench.ValuesAsync(place, "air", property, 600));
                }

                Assert.Empty(Directory.EnumerateFiles(request.ProgressFolder));
            },
            iter: 150, threads: 1);

    [Fact]
    public async Task A_store_that_cannot_commit_is_told_in_a_line_and_mended_by_the_same_command()
    {
        using var bench = new TransferBench();
        var request = bench.Request(Mapping, Files(bench)) with { BatchObservations = 10 };
        bench.Series.UnavailableBecause = "The disk is full.";
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ImportAsync(request));
        Assert.StartsWith("The disk is full.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("same command", failure.Message, StringComparison.Ordinal);

        bench.Series.UnavailableBecause = null;
        Assert.True((await bench.ImportAsync(request)).Stored > 0);
    }

    [Fact]
    public async Task A_damaged_note_makes_it_begin_anew()
    {
        using var bench = new TransferBench();
        var request = bench.Request(Mapping, Files(bench)) with { BatchObservations = 10 };
        var commits = 0;
        bench.Series.BeforeCommit = _ => ++commits == 3 ? throw new OperationCanceledException() : Task.CompletedTask;
        await Assert.ThrowsAsync<OperationCanceledException>(() => bench.ImportAsync(request));
        bench.Series.BeforeCommit = null;
        await File.WriteAllTextAsync(Assert.Single(Directory.EnumerateFiles(request.ProgressFolder)), "{\"Version\":", TestContext.Current.CancellationToken);

        var summary = await bench.ImportAsync(request);
        Assert.Equal(0, summary.RowsResumed);
        Assert.True(summary.Duplicate >= 20);
    }

    /// <summary>Two files over the night on which Lisbon's clock goes back, with bad rows among them.</summary>
    private static string[] Files(TransferBench bench)
    {
        var files = new List<string>();
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        for (var file = 0; file < 2; file++)
        {
            var text = new System.Text.StringBuilder("time,place,no2,o3\n");
            for (var row = 0; row < 40; row++)
            {
                var utc = new DateTime(2026, 10, 24 + file, 23, 0, 0, DateTimeKind.Utc).AddMinutes(10 * (row / 2));
                var local = utc + zone.GetUtcOffset(utc);
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{local:yyyy-MM-dd HH:mm},{(row % 2 == 0 ? 'a' : 'b')},{(row % 7 == 3 ? "bad" : row)},{(row % 5 == 0 ? "" : row / 10.0)}\n");
            }

            var path = bench.Write($"{file}.csv", text.ToString());
            File.SetLastWriteTimeUtc(path, new DateTime(2026, 11, 1, 0, 0, 0, DateTimeKind.Utc));
            files.Add(path);
        }

        return [.. files];
    }
}
