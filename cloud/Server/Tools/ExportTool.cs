using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Hub.Cloud.Transfer;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub export</c>: observations into a file. The hub of the data folder must be stopped.</summary>
internal static class ExportTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var output = new Argument<string>("OUT") { Description = "File to write, with gzip when its name ends in .gz; - for the standard output (not Parquet)" };
        var from = new Option<DateTime>("--from") { Description = "First instant, UTC: 2026-01-01 or 2026-01-01T08:00:00Z [default: everything]", HelpName = "TIME", CustomParser = Instant };
        var to = new Option<DateTime>("--to") { Description = "End, not included [default: everything]", HelpName = "TIME", CustomParser = Instant };
        var municipality = new Option<string?>("--municipality") { Description = "Only this municipality", HelpName = "SLUG" };
        var station = new Option<string?>("--station") { Description = "Only this station: municipality/station", HelpName = "STATION" };
        var property = new Option<string?>("--property") { Description = "Only this observed property, e.g. pm2_5", HelpName = "PROPERTY" };
        var format = new Option<string?>("--format") { Description = "csv, parquet or lines (InfluxDB line protocol) [default: by the name of OUT]", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong(ImportTool.Formats);
        var history = new Option<bool>("--history") { Description = "Also the values that lost against another one for their time, right behind it" };
        var rollups = new Option<bool>("--rollups") { Description = "Instead of observations the rollups of days whose observations retention has deleted; csv" };
        var command = new Command("export", "Export observations to a file, one row each; the hub must be stopped. hub import reads the file back without a mapping.")
        {
            output, from, to, municipality, station, property, format, history, rollups,
        };
        command.SetAction((result, stop) => guard(async () =>
        {
            var path = result.GetValue(output)!;
            var (town, slug) = result.GetValue(station) is { } name ? StationTool.Split(name) : (result.GetValue(municipality), null);
            if (result.GetValue(municipality) is { } other && other != town)
            {
                throw new StartException($"--station {town}/{slug} is not in --municipality {other}. Leave one of them away.");
            }

            // Wherever the summary goes, it never goes between the data.
            var toOutput = path == "-";
            await using var services = await HubHost.OpenToolsAsync(settings(result), stop, withSeries: true);
            await using var stream = toOutput ? Console.OpenStandardOutput() : null;
            var request = new ExportRequest
            {
                From = result.GetResult(from) is { Implicit: false } ? result.GetValue(from) : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc),
                To = result.GetResult(to) is { Implicit: false } ? result.GetValue(to) : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc),
                Municipality = town,
                Station = slug,
                Property = result.GetValue(property),
                Format = ImportTool.Format(result.GetValue(format)) ?? FormatOf(path),
                Path = path,
                Output = stream,
                History = result.GetValue(history),
                Rollups = result.GetValue(rollups),
            };
            return await ImportTool.RunAsync(
                progress => services.GetRequiredService<ITransfer>().ExportAsync(request, progress, stop),
                (summary, elapsed) => Tell(summary, request.Rollups, toOutput ? Console.Error : Console.Out, elapsed),
                "Nothing was written.");
        }));
        return command;
    }

    private static int Tell(ExportSummary summary, bool rollups, TextWriter terminal, TimeSpan elapsed)
    {
        terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"rows",-18}{summary.Rows,14:N0}"));
        terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"datastreams",-18}{summary.Datastreams,14:N0}"));
        if (summary.Nameless > 0)
        {
            terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"left out",-18}{summary.Nameless,14:N0}  datastreams this hub's database does not know: the series belong to another one"));
        }

        if (summary.Condensed > 0)
        {
            terminal.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"rollups only",-18}{summary.Condensed,14:N0}  days of datastreams whose observations retention has deleted{(rollups ? "" : "; hub export --rollups writes what is kept of them")}"));
        }

        terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"bytes",-18}{summary.Bytes,14:N0}"));
        terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"time",-18}{TransferTerminal.Duration(elapsed),14}"));
        return 0;
    }

    private static TransferFormat FormatOf(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" => TransferFormat.Csv,
            ".parquet" => TransferFormat.Parquet,
            ".lp" or ".lines" => TransferFormat.Lines,
            _ => throw new StartException($"Which format {path} is to have cannot be told from its name: give --format csv, parquet or lines."),
        };
    }

    private static DateTime Instant(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (DateTime.TryParseExact(
            text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var instant))
        {
            return instant;
        }

        result.AddError($"'{text}' is no time: give 2026-01-01 or 2026-01-01T08:00:00Z.");
        return default;
    }
}
