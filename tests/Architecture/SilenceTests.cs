using System.Text.RegularExpressions;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Architecture;

/// <summary>No audio ever leaves memory: the code that hears has no means of writing.</summary>
public sealed partial class SilenceTests
{
    private static IEnumerable<string> Sources => Repository.Sources("edge").Where(f => f.StartsWith("edge/Sensors/Noise/", StringComparison.Ordinal));

    [Fact]
    public void Code_that_hears_names_nothing_that_writes()
    {
        Assert.True(Sources.Count() > 15, "The noise sensors have moved: this rule has to move with them.");
        Assert.Empty(Sources.SelectMany(f => Writers().Matches(Comments().Replace(Repository.Read(f), "")).Select(match => $"{f}: {match.Value}")));
    }

    [Fact]
    public void Of_the_sound_library_only_what_captures_is_known()
    {
        var entries = Sources.SelectMany(f => Entry().Matches(Repository.Read(f)).Select(match => match.Groups[1].Value)).ToArray();
        Assert.Contains("snd_pcm_readi", entries);
        Assert.Empty(entries.Where(name => !name.StartsWith("snd_pcm_", StringComparison.Ordinal) && name != "snd_strerror"));
        Assert.Empty(entries.Where(name => name.Contains("write", StringComparison.Ordinal) || name.Contains("dump", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_log_line_of_a_microphone_takes_names_and_single_numbers_only()
    {
        var parameters = Sources.SelectMany(f => LogMethod().Matches(Repository.Read(f)).Select(match => match.Groups[1].Value)).ToArray();
        Assert.NotEmpty(parameters);
        Assert.Empty(parameters.SelectMany(list => list.Split(", ").Skip(1)).Where(parameter => !Harmless().IsMatch(parameter)));
    }

    [Theory]
    [InlineData("var copy = new FileStream(path, FileMode.Create);")]
    [InlineData("System.IO.File.WriteAllBytes(name, bytes);")]
    [InlineData("Console.OpenStandardOutput().Write(bytes);")]
    [InlineData("new UdpClient().Send(bytes);")]
    public void The_watch_sees_what_it_is_for(string code) => Assert.Matches(Writers(), code);

    [GeneratedRegex(@"\b(File|FileStream|FileInfo|RandomAccess|Directory|DirectoryInfo|\w*Stream|(?:Stream|Text|Binary|String)Writer|\w*Pipe\w*|Console|\w*Socket|\w*Client|MemoryMapped\w+|Process|Debug|Trace|EventSource|Activity|Environment|AppContext)\b(?=[\s.(<;])")]
    private static partial Regex Writers();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comments();

    [GeneratedRegex("EntryPoint = \"(\\w+)\"")]
    private static partial Regex Entry();

    [GeneratedRegex(@"partial void Log\w+\(([^)]*)\)")]
    private static partial Regex LogMethod();

    [GeneratedRegex(@"^(string|int|long|double|TimeSpan) \w+$")]
    private static partial Regex Harmless();
}
