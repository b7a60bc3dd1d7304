using System.Globalization;
using System.IO.Enumeration;
using Hub.Cloud.Transfer.Import;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Hub.Cloud.Transfer.Mapping;

/// <summary>Reads and checks mapping files. Everything that can be known without the data is checked here, and named by its place in the file.</summary>
internal static class MappingReader
{
    private const int BytesMax = 4 * 1024 * 1024;
    private const int HeadingLinesMax = 100;

    /// <summary>Reads a mapping file.</summary>
    /// <exception cref="TransferException">It cannot be read, or something in it is wrong.</exception>
    public static ImportMapping Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > BytesMax)
            {
                throw new TransferException($"{path} is no mapping: it has more than {BytesMax} bytes.");
            }

            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TransferException($"The mapping {path} cannot be read ({exception.Message}).", exception);
        }
    }

    /// <summary>Reads the text of a mapping.</summary>
    /// <exception cref="TransferException">Something in it is wrong.</exception>
    public static ImportMapping Parse(string text, string name)
    {
        ImportMapping? mapping;
        try
        {
            mapping = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build().Deserialize<ImportMapping?>(text);
        }
        catch (YamlException exception)
        {
            var what = (exception.InnerException ?? exception).Message.ReplaceLineEndings(" ");
            throw new TransferException(string.Create(CultureInfo.InvariantCulture, $"{name}, line {exception.Start.Line}: {what} The words of a mapping are in cloud/Transfer/README.md."), exception);
        }

        var failures = mapping is null || mapping.Sources.Count == 0 ? [$"{name} has no sources: it begins with 'sources:' and an entry per kind of file."] : Failures(mapping, name).Take(5).ToList();
        return failures.Count == 0 ? mapping! : throw new TransferException(string.Join(' ', failures));
    }

    /// <summary>The source that describes a file.</summary>
    /// <exception cref="TransferException">There is none.</exception>
    public static MappingSource SourceOf(ImportMapping mapping, string mappingName, string path)
    {
        var file = Path.GetFileName(path);
        return mapping.Sources.Find(source => FileSystemName.MatchesSimpleExpression(source.File, file, ignoreCase: false))
            ?? throw new TransferException($"{mappingName} says nothing of {file}: add a source whose 'file' fits it ({string.Join(", ", mapping.Sources.Take(8).Select(s => s.File))} are there).");
    }

    /// <summary>The format of a file.</summary>
    /// <exception cref="TransferException">It cannot be told.</exception>
    public static TransferFormat FormatOf(string path, TransferFormat? given, MappingSource? source)
    {
        if (given is { } format)
        {
            return format;
        }

        if (source?.Format is { } named && Formats.TryGetValue(named, out var known))
        {
            return known;
        }

        var name = Path.GetFileName(path).ToLowerInvariant();
        name = name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
        return Path.GetExtension(name) switch
        {
            ".csv" or ".tsv" or ".txt" => TransferFormat.Csv,
            ".parquet" or ".pq" => TransferFormat.Parquet,
            ".lp" or ".line" or ".lines" or ".influx" => TransferFormat.Lines,
            _ => throw new TransferException($"What {path} is cannot be told from its name: give --format csv, parquet or lines."),
        };
    }

    private static readonly Dictionary<string, TransferFormat> Formats = new(StringComparer.Ordinal)
    {
        ["csv"] = TransferFormat.Csv,
        ["parquet"] = TransferFormat.Parquet,
        ["lines"] = TransferFormat.Lines,
    };

    private static IEnumerable<string> Failures(ImportMapping mapping, string name) => mapping.Sources.SelectMany((source, index) => Failures(source, $"{name}, source {index + 1} ({source.File})"));

    private static IEnumerable<string> Failures(MappingSource source, string at)
    {
        if (source.Format is { } format && !Formats.ContainsKey(format))
        {
            yield return $"{at}: format is '{format}': give csv, parquet or lines.";
        }

        if (source.Delimiter != "tab" && (source.Delimiter.Length != 1 || source.Delimiter is "\"" or "." or " " || !char.IsAscii(source.Delimiter[0]) || char.IsControl(source.Delimiter[0])))
        {
            yield return $"{at}: delimiter is '{source.Delimiter}': give one ASCII character such as ; or , or the word tab.";
        }

        if (source.Encoding is not ("utf-8" or "latin-1"))
        {
            yield return $"{at}: encoding is '{source.Encoding}': give utf-8 or latin-1.";
        }

        if (source.HeadingLines is < 0 or > HeadingLinesMax || source.HeadingLine is { } line && (line < 1 || line > source.HeadingLines))
        {
            yield return $"{at}: headingLines must be 0 to {HeadingLinesMax}, and headingLine one of them.";
        }

        if (source.TimeColumn.Length == 0 && source.Format != "lines")
        {
            yield return $"{at}: timeColumn is missing: name the column with the time stamps.";
        }

        if (!LocalTime.TryFind(source.Zone, out _))
        {
            yield return $"{at}: zone is '{source.Zone}', which this machine does not know: give UTC, an offset such as +01:00 or an IANA name such as Europe/Lisbon (the package tzdata holds them).";
        }

        if (source.Stamp is not ("start" or "end"))
        {
            yield return $"{at}: stamp is '{source.Stamp}': give start or end.";
        }

        if (source.Period is { } period && PeriodFailure(period) is { } wrong)
        {
            yield return $"{at}: {wrong}";
        }

        foreach (var (text, station) in source.Stations.Where(s => !IsStation(s.Value)))
        {
            yield return $"{at}: stations has '{text}: {station}': give municipality/station.";
        }

        if (source.Targets.Count == 0)
        {
            yield return $"{at}: targets is empty: say which columns go to which station and sensor.";
        }

        foreach (var failure in source.Targets.SelectMany((target, index) => Failures(target, source, $"{at}, target {index + 1}")))
        {
            yield return failure;
        }
    }

    private static IEnumerable<string> Failures(MappingTarget target, MappingSource source, string at)
    {
        if (!Template.IsTemplate(target.Station) && !IsStation(target.Station) && !source.Stations.ContainsKey(target.Station))
        {
            yield return $"{at}: station is '{target.Station}': give municipality/station.";
        }

        if (!Template.IsTemplate(target.Sensor) && !ReadingRules.IsSensor(target.Sensor))
        {
            yield return $"{at}: sensor is '{target.Sensor}': give 1 to 64 of a-z 0-9 -, the first one a letter or digit.";
        }

        if (target.Period is { } period && PeriodFailure(period) is { } wrong)
        {
            yield return $"{at}: {wrong}";
        }

        foreach (var text in new[] { target.Station, target.Sensor, target.Period ?? "" }.Concat(target.Columns.SelectMany(c => new[] { c.Quantity, c.Unit ?? "" })).Where(text => !Template.IsWellFormed(text)))
        {
            yield return $"{at}: '{text}' has a brace that does not close.";
        }

        if (target.FilterColumn is null != target.FilterValue is null)
        {
            yield return $"{at}: filterColumn and filterValue belong together.";
        }

        if (target.CoverageAfter is not null && target.CoverageColumn is null)
        {
            yield return $"{at}: coverageAfter needs coverageColumn.";
        }

        if (target.QualityWords is not null && target.QualityColumn is null)
        {
            yield return $"{at}: qualityWords needs qualityColumn.";
        }

        foreach (var (text, words) in target.QualityWords ?? [])
        {
            if (!QualityText.TryRead(words, out _))
            {
                yield return $"{at}: qualityWords has '{text}: {words}': give words of {QualityText.All}, or good.";
            }
        }

        if (target.Columns.Count == 0)
        {
            yield return $"{at}: columns is empty: name the columns with values and their quantities.";
        }

        foreach (var (column, index) in target.Columns.Select((column, index) => (column, index)))
        {
            if (column.Column.Length == 0)
            {
                yield return $"{at}, column {index + 1}: column is missing.";
            }

            if (!Template.IsTemplate(column.Quantity) && UnitConversion.Problem(column.Quantity, column.Unit is { } unit && !Template.IsTemplate(unit) ? unit : null) is { } problem)
            {
                yield return $"{at}, column {index + 1} ({column.Column}): {problem}";
            }

            if (!double.IsFinite(column.Factor) || column.Factor == 0 || !double.IsFinite(column.Offset) || !double.IsFinite(column.OnlyAbove))
            {
                yield return $"{at}, column {index + 1} ({column.Column}): factor must be a number other than zero, offset and onlyAbove numbers.";
            }
        }

        foreach (var twice in target.Columns.Where(c => !Template.IsTemplate(c.Quantity)).GroupBy(c => c.Quantity).Where(group => group.Count() > 1))
        {
            yield return $"{at}: columns has the quantity '{twice.Key}' twice: use a target with another sensor for each.";
        }
    }

    private static string? PeriodFailure(string text) =>
        Template.IsTemplate(text) || (TryPeriod(text, out var period) && period >= TimeSpan.Zero && period <= ReadingRules.PeriodMax && period.Ticks % TimeSpan.TicksPerSecond == 0)
            ? null
            : $"period is '{text}': give whole seconds as 00:30:00 or 1.00:00:00, up to 366 days.";

    /// <summary>A period as a mapping writes it.</summary>
    public static bool TryPeriod(string text, out TimeSpan period) => TimeSpan.TryParseExact(text, ["c", @"d\.hh\:mm\:ss", @"hh\:mm\:ss"], CultureInfo.InvariantCulture, out period);

    private static bool IsStation(string text) => text.IndexOf('/', StringComparison.Ordinal) is > 0 and var at && at < text.Length - 1 && text.LastIndexOf('/') == at;
}
