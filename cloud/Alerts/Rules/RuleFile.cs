using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using Hub.Cloud.Notifications;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;
using YamlDotNet.Serialization.NamingConventions;

namespace Hub.Cloud.Alerts;

/// <summary>A file of rules cannot be read, or a rule in it cannot be.</summary>
/// <param name="line">Line, 1 for the first; 0 when it is not known.</param>
/// <param name="message">What is wrong, and what is expected.</param>
public sealed class RuleFileException(int line, string message) : Exception(line > 0 ? string.Create(CultureInfo.InvariantCulture, $"Line {line}: {message}") : message)
{
    /// <summary>Line, 1 for the first; 0 when it is not known.</summary>
    public int Line { get; } = line;
}

/// <summary>
/// Rules as a YAML file: a list <c>rules</c>, whose members have the names and words of the API. What is as usual is left out when it is written, and everything is in one order, so that two files can be
/// compared line by line. Pure functions.
/// </summary>
public static partial class RuleFile
{
    /// <summary>Largest file, characters.</summary>
    public const int LengthMax = 1024 * 1024;

    /// <summary>Writes rules, in order of their names.</summary>
    public static string Write(IEnumerable<Rule> rules)
    {
        var serializer = new SerializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance)
            .ConfigureDefaultValuesHandling(DefaultValuesHandling.OmitNull).WithQuotingNecessaryStrings().WithNewLine("\n").WithEventEmitter(next => new CornersInLine(next)).Build();
        return serializer.Serialize(new Document { Rules = [.. rules.OrderBy(rule => rule.Slug, StringComparer.Ordinal).Select(Entry)] });
    }

    /// <summary>Reads rules for a municipality; all of them are checked.</summary>
    /// <exception cref="RuleFileException">Something is wrong; with the line, the rule and the member.</exception>
    public static IReadOnlyList<Rule> Read(string yaml, string municipality)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        if (yaml.Length > LengthMax)
        {
            throw new RuleFileException(0, string.Create(CultureInfo.InvariantCulture, $"The file has {yaml.Length} characters; {LengthMax} are the most."));
        }

        var deserializer = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithNodeDeserializer(inner => new LineKeeper(inner), where => where.InsteadOf<YamlDotNet.Serialization.NodeDeserializers.ObjectNodeDeserializer>()).WithDuplicateKeyChecking().Build();
        Document? document;
        try
        {
            document = deserializer.Deserialize<Document?>(yaml);
        }
        catch (YamlException e)
        {
            throw new RuleFileException((int)e.Start.Line, $"{Short((e.InnerException ?? e).Message, 200)} Expected is a list \"rules\" of rules with rule, namePt, nameEn, severity, property, crossing, setLevel and the other members of the API.");
        }

        if (document?.Rules is not { } entries)
        {
            throw new RuleFileException(1, "There is no list \"rules\".");
        }

        var rules = new List<Rule>();
        foreach (var entry in entries)
        {
            if (entry is null)
            {
                throw new RuleFileException(0, "An entry of \"rules\" is empty.");
            }

            var rule = ToRule(entry, municipality);
            if (rules.Exists(known => known.Slug == rule.Slug))
            {
                throw new RuleFileException(entry.Line, $"The rule \"{rule.Slug}\" is there twice.");
            }

            rules.Add(rule);
        }

        foreach (var (rule, entry) in rules.Zip(entries))
        {
            try
            {
                Rules.RuleValidation.CheckCycle(rule, rules);
            }
            catch (ArgumentException e)
            {
                throw new RuleFileException(entry!.Line, $"rule \"{rule.Slug}\": suppressedBy{e.Message.Split(" (Parameter ")[0][nameof(rule.SuppressedBy).Length..]}");
            }
        }

        return rules;
    }

    private static RuleEntry Entry(Rule rule) => new()
    {
        Rule = rule.Slug,
        NamePt = rule.NamePt,
        NameEn = rule.NameEn,
        Severity = Lower(rule.Severity.ToString()),
        Property = rule.Property.Length == 0 ? null : rule.Property,
        Station = rule.Station,
        Sensor = rule.Sensor,
        Tag = rule.Tag,
        Area = rule.Area.Count == 0 ? null : [.. rule.Area.Select(corner => new[] { corner.Longitude, corner.Latitude })],
        Period = rule.PeriodSeconds is { } seconds ? XmlConvert.ToString(TimeSpan.FromSeconds(seconds)) : null,
        Measure = rule.Measure switch { Measure.Value => null, var measure => Lower(measure.ToString()) },
        Window = rule.Window == TimeSpan.Zero ? null : XmlConvert.ToString(rule.Window),
        OnClock = rule.OnClock ? true : null,
        Percent = rule.Percent == 0 ? null : rule.Percent,
        Limit = rule.Limit,
        CoverageMin = rule.CoverageMin.Equals(0.75) ? null : rule.CoverageMin,
        Crossing = rule.Measure.IsSilence() ? null : Lower(rule.Crossing.ToString()),
        SetLevel = rule.Measure.IsSilence() ? null : rule.SetLevel,
        ClearLevel = rule.ClearLevel.Equals(rule.SetLevel) ? null : rule.ClearLevel,
        For = rule.For == TimeSpan.Zero ? null : XmlConvert.ToString(rule.For),
        OffFor = rule.OffFor == TimeSpan.Zero ? null : XmlConvert.ToString(rule.OffFor),
        Levels = rule.Levels.Count == 0 ? null : [.. rule.Levels.Select(Entry)],
        Schedule = rule.Schedule.Length == 0 ? null : rule.Schedule,
        SuppressedBy = rule.SuppressedBy.Count == 0 ? null : [.. rule.SuppressedBy],
        Enabled = rule.Enabled ? null : false,
        Edge = rule.Edge ? true : null,
        Source = rule.Source.Length == 0 ? null : rule.Source,
    };

    private static LevelEntry Entry(RuleLevel level) => new()
    {
        Severity = Lower(level.Severity.ToString()),
        SetLevel = level.SetLevel,
        ClearLevel = level.ClearLevel.Equals(level.SetLevel) ? null : level.ClearLevel,
        For = level.For == TimeSpan.Zero ? null : XmlConvert.ToString(level.For),
        OffFor = level.OffFor == TimeSpan.Zero ? null : XmlConvert.ToString(level.OffFor),
    };

    private static Rule ToRule(RuleEntry entry, string municipality)
    {
        var at = entry.Rule is { Length: > 0 } slug ? $"rule \"{Short(slug)}\": " : "";
        var measure = entry.Measure switch { null => Measure.Value, _ => Word<Measure>(entry.Measure, "measure") };
        var crossing = entry.Crossing is null && measure.IsSilence() ? Crossing.Above : Word<Crossing>(entry.Crossing ?? throw Missing("crossing"), "crossing");
        var set = entry.SetLevel ?? (measure.IsSilence() ? 0 : throw Missing("setLevel"));
        var rule = new Rule(
            municipality, entry.Rule ?? throw Missing("rule"), entry.NamePt ?? throw Missing("namePt"), entry.NameEn ?? throw Missing("nameEn"), Word<Severity>(entry.Severity ?? throw Missing("severity"), "severity"),
            entry.Property ?? (measure.IsOfStation() ? "" : throw Missing("property")), entry.Station, entry.Sensor, entry.Period is null ? null : (int)Math.Min(int.MaxValue, Duration(entry.Period, "period").TotalSeconds), crossing, set,
            entry.ClearLevel ?? set, entry.For is null ? TimeSpan.Zero : Duration(entry.For, "for"), entry.Enabled ?? true, entry.Edge ?? false)
        {
            Measure = measure,
            Window = entry.Window is null ? TimeSpan.Zero : Duration(entry.Window, "window"),
            OnClock = entry.OnClock ?? false,
            Percent = entry.Percent ?? 0,
            Limit = entry.Limit,
            Tag = entry.Tag,
            CoverageMin = entry.CoverageMin ?? 0.75,
            OffFor = entry.OffFor is null ? TimeSpan.Zero : Duration(entry.OffFor, "offFor"),
            Schedule = entry.Schedule ?? "",
            Source = entry.Source ?? "",
            SuppressedBy = [.. (entry.SuppressedBy ?? []).Select(slug => slug ?? "")],
            Area = [.. (entry.Area ?? []).Select(Corner)],
            Levels = [.. (entry.Levels ?? []).Select((level, i) => ToLevel(level, $"levels[{i.ToString(CultureInfo.InvariantCulture)}]"))],
        };
        try
        {
            Rules.RuleValidation.Check(rule);
        }
        catch (ArgumentException e)
        {
            var said = e.Message.Split(" (Parameter ")[0];
            var member = e.ParamName is { Length: > 0 } name && said.StartsWith(name + " ", StringComparison.Ordinal) ? name : "";
            throw new RuleFileException(LineOf(member), $"{at}{(member == "Slug" ? "rule" : string.Join('.', member.Split('.').Select(part => Lower(part[..1]) + part[1..])))}{said[member.Length..]}");
        }

        return rule;

        // What is wrong with a level is said with the line of the level.
        int LineOf(string member) => member.StartsWith("Levels[", StringComparison.Ordinal) ? entry.Levels![int.Parse(member.AsSpan(7, member.IndexOf(']', StringComparison.Ordinal) - 7), CultureInfo.InvariantCulture)]!.Line : entry.Line;

        AreaPoint Corner(double[]? corner, int index) => corner is [var longitude, var latitude]
            ? new AreaPoint(longitude, latitude)
            : throw new RuleFileException(entry.Line, $"{at}area[{index.ToString(CultureInfo.InvariantCulture)}] is no pair; expected is [longitude, latitude] in degrees.");

        RuleLevel ToLevel(LevelEntry? level, string path)
        {
            if (level is null)
            {
                throw new RuleFileException(entry.Line, $"{at}{path} is empty; expected are severity and setLevel, and as wanted clearLevel, for and offFor.");
            }

            var set = level.SetLevel ?? throw new RuleFileException(level.Line, $"{at}{path}.setLevel is missing.");
            return new RuleLevel(
                Word<Severity>(level.Severity ?? throw new RuleFileException(level.Line, $"{at}{path}.severity is missing."), path + ".severity", level.Line), set, level.ClearLevel ?? set,
                level.For is null ? TimeSpan.Zero : Duration(level.For, path + ".for", level.Line), level.OffFor is null ? TimeSpan.Zero : Duration(level.OffFor, path + ".offFor", level.Line));
        }

        RuleFileException Missing(string member) => new(entry.Line, $"{at}{member} is missing.");

        T Word<T>(string text, string member, int? line = null)
            where T : struct, Enum
        {
            foreach (var value in Enum.GetValues<T>())
            {
                if (Lower(value.ToString()) == text)
                {
                    return value;
                }
            }

            throw new RuleFileException(line ?? entry.Line, $"{at}{member} is \"{Short(text)}\"; expected is one of {string.Join(", ", Enum.GetNames<T>().Select(Lower))}.");
        }

        TimeSpan Duration(string text, string member, int? line = null)
        {
            try
            {
                if (DurationPattern().IsMatch(text))
                {
                    return XmlConvert.ToTimeSpan(text);
                }
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                // Said below.
            }

            throw new RuleFileException(line ?? entry.Line, $"{at}{member} is \"{Short(text)}\"; expected is an ISO 8601 duration such as PT10M or P1D.");
        }
    }

    /// <summary>What was found, fit to be quoted: one line, no longer than that.</summary>
    private static string Short(string text, int lengthMax = 80) => string.Concat(text.Take(lengthMax).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length <= lengthMax ? "" : "...");

    /// <summary>A word of the file: lower case, with hyphens (<c>no-data</c>).</summary>
    private static string Lower(string text) => Enum.TryParse<Measure>(text, out _) ? InnerCapitals().Replace(text, "-").ToLowerInvariant() : text.ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])", RegexOptions.CultureInvariant)]
    private static partial Regex InnerCapitals();

    [GeneratedRegex(@"^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9.]+S)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();

    /// <summary>The file.</summary>
    internal sealed class Document
    {
        public List<RuleEntry?>? Rules { get; set; }
    }

    /// <summary>A rule of the file; the order of the members is the order in which they are written.</summary>
    internal sealed class RuleEntry : LineEntry
    {
        public string? Rule { get; set; }
        public string? NamePt { get; set; }
        public string? NameEn { get; set; }
        public string? Severity { get; set; }
        public string? Property { get; set; }
        public string? Station { get; set; }
        public string? Sensor { get; set; }
        public string? Tag { get; set; }
        public List<double[]?>? Area { get; set; }
        public string? Period { get; set; }
        public string? Measure { get; set; }
        public string? Window { get; set; }
        public bool? OnClock { get; set; }
        public double? Percent { get; set; }
        public double? Limit { get; set; }
        public double? CoverageMin { get; set; }
        public string? Crossing { get; set; }
        public double? SetLevel { get; set; }
        public double? ClearLevel { get; set; }
        public string? For { get; set; }
        public string? OffFor { get; set; }
        public List<LevelEntry?>? Levels { get; set; }
        public string? Schedule { get; set; }
        public List<string?>? SuppressedBy { get; set; }
        public bool? Enabled { get; set; }
        public bool? Edge { get; set; }
        public string? Source { get; set; }
    }

    /// <summary>A further level of a rule of the file.</summary>
    internal sealed class LevelEntry : LineEntry
    {
        public string? Severity { get; set; }
        public double? SetLevel { get; set; }
        public double? ClearLevel { get; set; }
        public string? For { get; set; }
        public string? OffFor { get; set; }
    }

    /// <summary>Something of the file that knows where it stands.</summary>
    internal abstract class LineEntry
    {
        /// <summary>Line at which it begins.</summary>
        [YamlIgnore]
        public int Line { get; set; }
    }

    /// <summary>Writes the corners of an area as pairs, one a line.</summary>
    private sealed class CornersInLine(IEventEmitter next) : ChainedEventEmitter(next)
    {
        public override void Emit(SequenceStartEventInfo eventInfo, IEmitter emitter)
        {
            eventInfo.Style = eventInfo.Source.Type == typeof(double[]) ? SequenceStyle.Flow : eventInfo.Style;
            base.Emit(eventInfo, emitter);
        }
    }

    /// <summary>Notes where an entry begins.</summary>
    private sealed class LineKeeper(INodeDeserializer inner) : INodeDeserializer
    {
        public bool Deserialize(IParser reader, Type expectedType, Func<IParser, Type, object?> nestedObjectDeserializer, out object? value, ObjectDeserializer rootDeserializer)
        {
            var line = (int)(reader.Current?.Start.Line ?? 0);
            var isRead = inner.Deserialize(reader, expectedType, nestedObjectDeserializer, out value, rootDeserializer);
            if (value is LineEntry entry)
            {
                entry.Line = line;
            }

            return isRead;
        }
    }
}
