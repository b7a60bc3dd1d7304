using System.Diagnostics;
using Hub.Cloud.Server.Demo;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Server.Tests.Demo;

/// <summary>A shell script stands in for the agent.</summary>
public sealed class AgentProcessTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_started_again_when_it_dies_after_a_pause()
    {
        await using var agent = Start("echo began; exit 3");
        await Eventually.TrueAsync(() => agent.Restarts == 1, "the first one has ended");
        Assert.Equal("began\n", Log());

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(2));
                return agent.Restarts >= 3;
            },
            "it was started again and again");
        Assert.StartsWith("began\nbegan\nbegan\n", Log(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_by_itself_when_its_standard_input_closes()
    {
        var agent = Start("echo began; cat > /dev/null; echo goodbye >&2");
        await Eventually.TrueAsync(() => Log().Contains("began", StringComparison.Ordinal), "it runs");
        var id = agent.ProcessId!.Value;

        await agent.DisposeAsync();

        Assert.EndsWith("goodbye\n", Log(), StringComparison.Ordinal);
        Assert.False(Runs(id));
        Assert.Null(agent.ProcessId);
        Assert.Equal(0, agent.Restarts);
    }

    [Fact]
    public async Task It_is_killed_with_its_children_when_it_ignores_that()
    {
        var agent = Start("trap '' TERM INT HUP; sleep 600 & echo child $!; wait; sleep 600");
        await Eventually.TrueAsync(() => Log().Contains("child", StringComparison.Ordinal), "it runs");
        var id = agent.ProcessId!.Value;
        var child = int.Parse(Log().Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(Runs(child));

        var stopped = agent.DisposeAsync().AsTask();
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(3));
                return stopped.IsCompleted;
            },
            "patience has ended");
        await stopped;

        await Eventually.TrueAsync(() => !Runs(id) && !Runs(child), "both are gone");
    }

    [Fact]
    public async Task A_program_that_is_missing_is_said_in_its_log_and_tried_again()
    {
        var agent = new AgentProcess("braga/a", () => new ProcessStartInfo(_folder.File("missing")), _folder.File("agent.log"), _time);
        await Eventually.TrueAsync(() => agent.Restarts == 1, "it was tried");
        Assert.Contains("missing cannot be started", Log(), StringComparison.Ordinal);
        await agent.DisposeAsync();
    }

    [Theory]
    [InlineData((1024 * 1024) - 1, (1024 * 1024) + 5)]
    [InlineData(1024 * 1024, 6)]
    public async Task Its_log_is_begun_anew_at_one_mebibyte(int before, int after)
    {
        File.WriteAllText(_folder.File("agent.log"), new string('x', before));
        await using var agent = Start("echo began; cat > /dev/null");
        await Eventually.TrueAsync(() => Log().EndsWith("began\n", StringComparison.Ordinal), "it runs");
        Assert.Equal(after, new FileInfo(_folder.File("agent.log")).Length);
    }

    private static bool Runs(int id)
    {
        // A child whose parent was killed may stay as a zombie until somebody asks for it.
        var stat = $"/proc/{id}/stat";
        try
        {
            return File.Exists(stat) && !File.ReadAllText(stat).Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private AgentProcess Start(string script) => new("braga/a", () => new ProcessStartInfo("/bin/sh", ["-c", script]), _folder.File("agent.log"), _time);

    private string Log()
    {
        var file = _folder.File("agent.log");
        if (!File.Exists(file))
        {
            return "";
        }

        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
