using System.Globalization;
using System.Text;

namespace Hub.Cloud.Server.Tests;

/// <summary>
/// What the flow of one test says on the console, while other tests of the program use the console too: set for a whole process, their words would be mixed. Whatever a test calls or starts after
/// making one is heard by it alone, until it is disposed.
/// </summary>
internal sealed class SaidConsole : IDisposable
{
    private static readonly AsyncLocal<SaidConsole?> Current = new();

    private readonly SaidConsole? _before = Current.Value;
    private readonly StringWriter _output = new(CultureInfo.InvariantCulture);
    private readonly StringWriter _error = new(CultureInfo.InvariantCulture);

    static SaidConsole()
    {
        Console.SetOut(new Divided(Console.Out, said => said._output));
        Console.SetError(new Divided(Console.Error, said => said._error));
    }

    public SaidConsole() => Current.Value = this;

    /// <summary>All of the output so far.</summary>
    public string Output => Text(_output);

    /// <summary>All of the error stream so far.</summary>
    public string Error => Text(_error);

    /// <summary>Runs a verb on a data folder, which must succeed, and returns what it alone printed, by the first word of each line; a hub that runs beside it has its say meanwhile.</summary>
    public static async Task<Dictionary<string, string>> ToolAsync(string data, params string[] arguments)
    {
        using var said = new SaidConsole();
        var code = await HubCommand.Create().Parse([.. arguments, "--data", data]).InvokeAsync(new() { EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken);
        Assert.Equal(0, code);
        return said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Where(p => p.Length == 2).GroupBy(p => p[0], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last()[1], StringComparer.Ordinal);
    }

    public void Dispose() => Current.Value = _before;

    private static string Text(StringWriter writer)
    {
        lock (writer)
        {
            return writer.ToString();
        }
    }

    private sealed class Divided(TextWriter terminal, Func<SaidConsole, StringWriter> part) : TextWriter(CultureInfo.InvariantCulture)
    {
        public override Encoding Encoding => terminal.Encoding;

        public override void Write(char value) => Write([value]);

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(ReadOnlySpan<char> buffer)
        {
            TextWriter to = Current.Value is { } said ? part(said) : terminal;
            lock (to)
            {
                to.Write(buffer);
            }
        }
    }
}
