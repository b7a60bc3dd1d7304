using System.Diagnostics;
using System.Globalization;
using System.Text;
using Hub.Cloud.Server.Tools;
using Hub.Cloud.Transfer;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Server.Tests;

/// <summary>Import, export and migration from the command line, with the real stores.</summary>
public sealed class TransferToolTests : IDisposable
{
    private const string Station =
        """
        municipality: braga
        station: rotunda
        name: Rotunda
        location: { latitude: 41.55, longitude: -8.42 }
        sensors: []
        """;

    private const string Mapping =
        """
        sources:
          - timeColumn: time
            targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: pm2_5 }] }]
        """;

    private TempFolder _folder = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task History_goes_in_out_and_across()
    {
        await WriteAsync("rotunda.yaml", Station);
        await WriteAsync("mapping.yaml", Mapping);
        await WriteAsync("a.csv", "time,v\n2026-01-01,1.5\n2026-01-02,oops\n2026-01-03,\n2026-01-04,2.5\n");
        var import = $"import {_folder.File("a.csv")} --mapping {_folder.File("mapping.yaml")}";
        Assert.Contains("hub municipality add braga", (await RunAsync(2, $"{import} --create-stations {_folder.File("rotunda.yaml")}")).Error, StringComparison.Ordinal);
        await RunAsync(0, "municipality add braga --name Braga");
        Assert.Contains("a dry run registers none", (await RunAsync(2, $"{import} --create-stations {_folder.File("rotunda.yaml")} --dry-run")).Error, StringComparison.Ordinal);

        // Without its station every row is refused, and the exit code says so.
        Assert.Equal("0", Figure((await RunAsync(3, import)).Output, "stored"));
        var said = (await RunAsync(3, $"{import} --create-stations {_folder.File("rotunda.yaml")}")).Output;
        Assert.Contains("braga/rotunda registered", said, StringComparison.Ordinal);
        Assert.Equal(("4", "2", "1", "1", "1"), (Figure(said, "rows"), Figure(said, "stored"), Figure(said, "refused"), Figure(said, "missing"), Figure(said, "  value")));
        Assert.Contains($"listed in {_folder.File("import-report.csv")}", said, StringComparison.Ordinal);
        Assert.Equal(2, (await File.ReadAllLinesAsync(_folder.File("import-report.csv"), TestContext.Current.CancellationToken)).Length);

        var again = (await RunAsync(3, import)).Output;
        Assert.Equal(("0", "2"), (Figure(again, "stored"), Figure(again, "duplicate")));
        Assert.Equal("2", Figure((await RunAsync(3, $"{import} --dry-run")).Output, "good"));

        Assert.Equal("2", Figure((await RunAsync(0, $"export {_folder.File("out.csv")}")).Output, "rows"));
        Assert.Equal(
            [
                "municipality,station,sensor,property,period,phenomenonTime,result,unit,quality,calibration,raw,coverage,revision",
                "braga,rotunda,air,pm2_5,0,2026-01-01T00:00:00Z,1.5,ug/m3,,0,,,0",
                "braga,rotunda,air,pm2_5,0,2026-01-04T00:00:00Z,2.5,ug/m3,,0,,,0",
            ],
            await File.ReadAllLinesAsync(_folder.File("out.csv"), TestContext.Current.CancellationToken));
        Assert.Equal("1", Figure((await RunAsync(0, $"export {_folder.File("out.parquet")} --from 2026-01-02 --to 2026-01-04T00:00:01Z --station braga/rotunda --property pm2_5")).Output, "rows"));
        Assert.Equal("1", Figure((await RunAsync(0, $"import {_folder.File("out.parquet")}")).Output, "duplicate"));

        var moved = (await RunAsync(0, $"migrate series --from settings --to {_folder.File("other")}")).Output;
        Assert.Equal(("1", "2"), (Figure(moved, "datastreams"), Figure(moved, "observations")));
        Assert.Contains("verified", moved, StringComparison.Ordinal);
        await WriteAsync("hub.json", $$$"""{"series":{"folder":"{{{_folder.File("other")}}}"}}""");
        await RunAsync(0, $"export {_folder.File("moved.csv")}");
        Assert.Equal(await File.ReadAllTextAsync(_folder.File("out.csv"), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(_folder.File("moved.csv"), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*.cursors"));
    }

    [Theory]
    [InlineData("-KILL")]
    [InlineData("-INT")]
    public async Task An_import_that_is_killed_or_stopped_goes_on_with_the_same_command(string signal)
    {
        // A machine that stood still between the first commit and the signal has finished by then: again with twice as many rows.
        var rows = 600_000;
        string[] arguments;
        while ((arguments = await InterruptAsync(signal, rows)).Length == 0)
        {
            Assert.True((rows *= 2) < 10_000_000, "It always ended before it was interrupted.");
            SqliteConnection.ClearAllPools();
            _folder.Dispose();
            _folder = new TempFolder();
        }

        var said = (await RunAsync(3, string.Join(' ', arguments))).Output;
        var (all, refused) = (rows.ToString("N0", CultureInfo.InvariantCulture), rows / 100_000);
        Assert.Contains("of them by the run before", said, StringComparison.Ordinal);
        Assert.Equal((all, refused.ToString(CultureInfo.InvariantCulture)), (Figure(said, "rows"), Figure(said, "refused")));
        Assert.Equal(rows - refused, Count(said, "stored") + Count(said, "duplicate"));
        Assert.Equal(refused + 1, (await File.ReadAllLinesAsync(_folder.File("import-report.csv"), TestContext.Current.CancellationToken)).Length);
        Assert.Equal((rows - refused).ToString("N0", CultureInfo.InvariantCulture), Figure((await RunAsync(0, $"export {_folder.File("out.csv.gz")}")).Output, "rows"));
    }

    /// <summary>Starts an import and interrupts it once something is committed; what was typed after <c>hub</c>, without the data folder; empty when it had come to its end before.</summary>
    private async Task<string[]> InterruptAsync(string signal, int rows)
    {
        await WriteAsync("rotunda.yaml", Station);
        await WriteAsync("mapping.yaml", Mapping);
        var text = new StringBuilder("time,v\n");
        var begin = new DateTime(2005, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        for (var i = 0; i < rows; i++)
        {
            text.Append(begin.AddMinutes(i).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)).Append(CultureInfo.InvariantCulture, $",{i % 50}{(i % 100_000 == 77 ? "x" : "")}\n");
        }

        await WriteAsync("a.csv", text.ToString());
        await RunAsync(0, "municipality add braga --name Braga");
        SqliteConnection.ClearAllPools();
        string[] arguments = ["import", _folder.File("a.csv"), "--mapping", _folder.File("mapping.yaml"), "--create-stations", _folder.File("rotunda.yaml")];
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(HubCommand).Assembly.Location, .. arguments, "--data", _folder.Path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var note = _folder.File("import");
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => process.HasExited || (Directory.Exists(note) && Directory.EnumerateFiles(note, "*.json").Any()), "something was committed");
        using (var kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (process.ExitCode == 3)
        {
            Assert.Contains("import-report.csv", await output, StringComparison.Ordinal);
            return [];
        }

        Assert.True(process.ExitCode == (signal == "-INT" ? 1 : 128 + 9), $"{process.ExitCode}: {await output} {await error}");
        Assert.True(signal != "-INT" || (await error).Contains("goes on from there", StringComparison.Ordinal), await error);
        return arguments;
    }

    [Fact]
    public void A_terminal_sees_a_bar_and_a_file_a_line_every_ten_seconds()
    {
        var time = new FakeTimeProvider();
        using var lines = new StringWriter();
        using var screen = new StringWriter();
        var (file, bar) = (new TransferTerminal(lines, isTerminal: false, time, 80), new TransferTerminal(screen, isTerminal: true, time, 60));
        for (var second = 0; second <= 25; second++)
        {
            var progress = new TransferProgress("a.csv", second / 100.0, second * 1_000L);
            file.Report(progress);
            bar.Report(progress);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        bar.Clear();
        Assert.Equal([" 10.0 %  10,000 rows  1,000/s  01:30 left  a.csv", " 20.0 %  20,000 rows  1,000/s  01:20 left  a.csv"], lines.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        var drawn = screen.ToString().Split('\r', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("[######..................]  25.0 %  25,000 rows  1,000/s", drawn[^2], StringComparison.Ordinal);
        Assert.All(drawn, line => Assert.True(line.Length < 60));
        Assert.True(string.IsNullOrWhiteSpace(drawn[^1]));
        Assert.DoesNotContain('\n', screen.ToString());
    }

    private static string Figure(string output, string name) =>
        output.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[18..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];

    private static int Count(string output, string name) => int.Parse(Figure(output, name), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(_folder.File(name), text, TestContext.Current.CancellationToken);

    private async Task<(string Output, string Error)> RunAsync(int expected, string arguments)
    {
        using var said = new SaidConsole();
        var code = await HubCommand.RunAsync([.. arguments.Split(' '), "--data", _folder.Path], TestContext.Current.CancellationToken);
        Assert.True(code == expected, $"hub {arguments}: {code} {said.Output}{said.Error}");
        return (said.Output, said.Error);
    }
}
