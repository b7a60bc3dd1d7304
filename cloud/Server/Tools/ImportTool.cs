using System.CommandLine;
using System.Globalization;
using System.Text;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Server.Demo;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub import</c>: history out of files. The hub of the data folder must be stopped.</summary>
internal static class ImportTool
{
    /// <summary>Exit code: all that can be taken is in, and something was refused.</summary>
    public const int SomeRefused = 3;

    /// <summary>Names of the formats on the command line.</summary>
    internal static readonly string[] Formats = ["csv", "parquet", "lines"];

    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var files = new Argument<string[]>("FILE") { Description = "Files to import, plain or gzip; CSV, Parquet or InfluxDB line protocol", Arity = ArgumentArity.OneOrMore };
        var mapping = new Option<string?>("--mapping") { Description = "What stands where in the files (YAML, see cloud/Transfer/README.md); files of hub export need none", HelpName = "FILE" };
        var format = new Option<string?>("--format") { Description = "csv, parquet or lines [default: by the mapping, then by each file's name]", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong(Formats);
        var report = new Option<string?>("--report") { Description = "Where to list what was refused, with file, line and what to do [default: import-report.csv beside the first file]", HelpName = "FILE" };
        var create = new Option<string[]>("--create-stations") { Description = "Station files, or folders of them, whose stations are registered first when they are not there; may be repeated", HelpName = "PATH", AllowMultipleArgumentsPerToken = false };
        var dry = new Option<bool>("--dry-run") { Description = "Read and check everything, write the report, store nothing" };
        var command = new Command(
            "import",
            "Import observations from files; the hub must be stopped. The same files again change nothing; stopped with Ctrl-C or killed, the same command goes on. Exit code 0: all in; 3: some rows refused, the rest is in; 1: failed or stopped; 2: something to mend first.")
        {
            files, mapping, format, report, create, dry,
        };
        command.SetAction((result, stop) => guard(async () =>
        {
            var configuration = settings(result);
            var request = new ImportRequest
            {
                Files = result.GetValue(files)!,
                Mapping = result.GetValue(mapping),
                Format = Format(result.GetValue(format)),
                ReportFile = result.GetValue(report) ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(result.GetValue(files)![0]))!, "import-report.csv"),
                ProgressFolder = Path.Combine(configuration["Hub:Data"]!, "import"),
                DryRun = result.GetValue(dry),
            };
            await using var services = await HubHost.OpenToolsAsync(configuration, stop, withSeries: true);
            foreach (var path in result.GetValue(create) ?? [])
            {
                await RegisterAsync(services, path, request.DryRun, stop);
            }

            return await RunAsync(
                progress => services.GetRequiredService<ITransfer>().ImportAsync(request, progress, stop),
                (summary, elapsed) => Tell(summary, request, elapsed),
                "What was committed is in. The same command goes on from there.");
        }));
        return command;
    }

    /// <summary>Runs a transfer with its bar, and says what a user can mend in one line.</summary>
    internal static async Task<int> RunAsync<T>(Func<IProgress<TransferProgress>, Task<T>> transfer, Func<T, TimeSpan, int> tell, string whenStopped)
    {
        var terminal = TransferTerminal.Create();
        try
        {
            var summary = await transfer(terminal);
            terminal.Clear();
            return tell(summary, terminal.Elapsed);
        }
        catch (TransferException exception)
        {
            terminal.Clear();
            throw new StartException(exception.Message, exception);
        }
        catch (OperationCanceledException)
        {
            terminal.Clear();
            await Console.Error.WriteLineAsync($"hub: stopped. {whenStopped}");
            return 1;
        }
    }

    /// <summary>The format of a name.</summary>
    internal static TransferFormat? Format(string? name) => name switch
    {
        "csv" => TransferFormat.Csv,
        "parquet" => TransferFormat.Parquet,
        "lines" => TransferFormat.Lines,
        _ => null,
    };

    private static int Tell(ImportSummary summary, ImportRequest request, TimeSpan elapsed)
    {
        var text = new StringBuilder();
        Line("rows", summary.Rows, summary.RowsResumed > 0 ? string.Create(CultureInfo.InvariantCulture, $"{summary.RowsResumed:N0} of them by the run before") : "");
        if (request.DryRun)
        {
            Line("good", summary.Stored, "would go in; which of them are there already is known when they do");
        }
        else
        {
            Line("stored", summary.Stored, "new");
            Line("duplicate", summary.Duplicate, "there already");
            Line("corrected", summary.Corrected, "won against another value for their time, which is kept in the history");
        }

        Line("refused", summary.Refused, summary.Refused > 0 ? $"listed in {request.ReportFile}" : "");
        foreach (var (reason, count) in summary.RefusedBy.OrderByDescending(r => r.Value))
        {
            Line($"  {Word(reason.ToString())}", count, "");
        }

        Line("  not listed", summary.ReportRowsLeftOut, "the report is full", always: false);
        Line("missing", summary.Missing, "fields that say \"no value\"", always: false);
        Line("left out", summary.LeftOut, "values a condition of the mapping leaves out", always: false);
        Line("aside", summary.RowsAside, "rows no target of the mapping asks for", always: false);
        Line("datastreams", summary.Datastreams, request.DryRun ? "those included that would be made" : "");
        text.Append(CultureInfo.InvariantCulture, $"{"time",-18}{TransferTerminal.Duration(elapsed),14}");
        Console.WriteLine(text.ToString());
        return summary.Refused > 0 ? SomeRefused : 0;

        void Line(string name, long count, string what, bool always = true)
        {
            if (always || count > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name,-18}{count,14:N0}{(what.Length > 0 ? "  " + what : "")}").Append('\n');
            }
        }
    }

    /// <summary>A reason as it stands in the report.</summary>
    private static string Word(string pascal) => string.Concat(pascal.Select((c, i) => char.IsAsciiLetterUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));

    private static async Task RegisterAsync(IServiceProvider services, string path, bool dryRun, CancellationToken stop)
    {
        var stations = services.GetRequiredService<IStations>();
        var files = Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : (IEnumerable<string>)[path];
        foreach (var file in files)
        {
            var station = ReadStation(file);
            if (stations.TryGet(station.Municipality, station.Station, out _))
            {
                continue;
            }

            if (dryRun)
            {
                throw new StartException($"The station {station.Municipality}/{station.Station} is not registered, and a dry run registers none: run it on a copy of the data folder, or register the station first (hub station add).");
            }

            if (!services.GetRequiredService<IMunicipalities>().TryGet(station.Municipality, out _))
            {
                throw new StartException($"There is no municipality '{station.Municipality}' for the station of {file}. Add it with: hub municipality add {station.Municipality} --name ...");
            }

            await StationTool.Try(() => stations.RegisterAsync(
                new StationRegistration(station.Municipality, station.Station, station.Name.Length > 0 ? station.Name : station.Station, station.Location.Latitude, station.Location.Longitude, Attribution: station.Attribution), stop));
            Console.WriteLine($"station     {station.Municipality}/{station.Station} registered; hub station rotate-secret gives its agent a secret");
        }
    }

    private static DemoStation ReadStation(string file)
    {
        try
        {
            using var reader = File.OpenText(file);
            var station = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).IgnoreUnmatchedProperties().Build().Deserialize<DemoStation?>(reader);
            return station is { Municipality.Length: > 0, Station.Length: > 0 } ? station : throw new StartException($"{file} is no station file: municipality and station are missing.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or YamlException)
        {
            throw new StartException($"The station file {file} cannot be read ({exception.Message.ReplaceLineEndings(" ")}).", exception);
        }
    }
}
