using System.Globalization;

namespace Hub.Tests.Benchmarks;

/// <summary>Prints what a benchmark saw: where it ran, tables, and goals with what was seen. Remembers whether a goal was missed.</summary>
internal sealed class Report(TextWriter output)
{
    private bool _missed;

    /// <summary>0, or 1 when a goal was missed.</summary>
    public int ExitCode => _missed ? 1 : 0;

    /// <summary>Says what follows, on what machine and how busy it is.</summary>
    public void Heading(string what)
    {
        output.WriteLine();
        output.WriteLine($"## {what}");
        Line($"{Environment.ProcessorCount} processors ({Model()}), load average {Load()}, {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC");
        output.WriteLine();
    }

    /// <summary>Says how busy the machine was at the end.</summary>
    public void End() => Line($"load average at the end {Load()}");

    /// <summary>One line, in the invariant culture.</summary>
    public void Line(FormattableString text)
    {
        output.WriteLine(FormattableString.Invariant(text));
        output.Flush();
    }

    /// <summary>A table in Markdown; all cells of a column get its width.</summary>
    public void Table(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = header.Select((cell, column) => Math.Max(3, rows.Select(row => row[column].Length).Append(cell.Length).Max())).ToArray();
        Row(header);
        Row([.. widths.Select(width => new string('-', width))]);
        foreach (var row in rows)
        {
            Row(row);
        }

        output.WriteLine();
        output.Flush();

        void Row(IReadOnlyList<string> cells) => output.WriteLine($"| {string.Join(" | ", cells.Select((cell, column) => cell.PadRight(widths[column])))} |");
    }

    /// <summary>A goal that what was seen must reach.</summary>
    public void AtLeast(string what, double seen, double goal, string unit) => Goal(what, seen, goal, unit, ">=", seen >= goal);

    /// <summary>A goal that what was seen must not exceed.</summary>
    public void AtMost(string what, double seen, double goal, string unit) => Goal(what, seen, goal, unit, "<=", seen <= goal);

    /// <summary>Something that must be so for the figures to mean anything.</summary>
    public void Must(bool holds, FormattableString what)
    {
        Line($"{(holds ? "ok" : "WRONG")}: {FormattableString.Invariant(what)}");
        _missed |= !holds;
    }

    /// <summary>A figure with three digits that count.</summary>
    public static string Figure(double value) => value switch
    {
        double.NaN => "-",
        >= 1_000_000 => (value / 1_000_000).ToString("0.00 M", CultureInfo.InvariantCulture),
        >= 10_000 => (value / 1_000).ToString("0 k", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 0.1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0000", CultureInfo.InvariantCulture),
    };

    private void Goal(string what, double seen, double goal, string unit, string relation, bool reached)
    {
        _missed |= !reached;
        Line($"goal {(reached ? "reached" : "MISSED ")}: {what} {relation} {Figure(goal)} {unit}; seen {Figure(seen)}");
    }

    private static string Model() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";

    private static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);
}
