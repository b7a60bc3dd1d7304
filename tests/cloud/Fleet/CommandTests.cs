using Hub.Cloud.Fleet.Commands;
using Hub.Cloud.Ingest;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Topics;
using Hub.Tests.Kit;
using static Hub.Cloud.Fleet.Tests.FleetHost;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>Commands: asked, sent, answered, or not.</summary>
public sealed class CommandTests : IDisposable
{
    /// <summary>Longer than any test lets pass: the clock runs on while a busy machine does its work.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromDays(365);

    /// <summary>As long as a command may be on its way at most, for the same reason.</summary>
    internal static readonly (string, string) LongExpiry = ("Hub:Fleet:CommandExpiry", "01:00:00");

    private readonly World world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(CommandOutcome.Done, CommandStep.Done, null)]
    [InlineData(CommandOutcome.Refused, CommandStep.Refused, "no such pin")]
    [InlineData(CommandOutcome.Failed, CommandStep.Failed, "it broke")]
    public async Task A_command_goes_out_with_what_the_contract_asks_for_and_its_answer_comes_back(CommandOutcome outcome, CommandStep step, string? problem)
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        HubMessage? sent = null;
        hub.Broker.OnCommand = async message =>
        {
            sent = message;
            await hub.Broker.ReplyAsync(message, new CommandReply(outcome, problem, Json("""{"x":1}""")), hub.Now);
        };
        var answered = await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, Json("""{"seconds":5}"""), Patience, "ana", Cancel);
        Assert.Equal((step, problem, "ana", """{"x":1}"""), (answered.Step, answered.Problem, answered.AskedBy, answered.Result!.Value.GetRawText()));
        Assert.Equal(("hub/v1/braga/air-1/command/identify", "hub/v1/braga/air-1/reply", false, TimeSpan.FromMinutes(1)), (sent!.Topic, sent.ResponseTopic, sent.Retain, sent.Expiry));
        Assert.InRange(sent.Correlation.Length, 1, CommandReply.CorrelationBytesMax);
        Assert.Equal("""{"seconds":5}""", System.Text.Encoding.UTF8.GetString(sent.Payload.Span));
        Assert.Equal(answered.Id, Assert.Single(await hub.Fleet.CommandsAsync(hub.Air.Id, 10, Cancel)).Id);
    }

    [Fact]
    public async Task A_list_of_all_stations_has_the_newest_of_everything_in_one_reading()
    {
        await using var hub = await StartAsync(world);
        Assert.Empty(await hub.Fleet.LinesAsync(Cancel));
        await hub.OnlineAsync();
        hub.Broker.OnCommand = message => hub.Broker.ReplyAsync(message, new CommandReply(CommandOutcome.Done, null, Json("""{"x":1}""")), hub.Now).AsTask();
        for (var i = 1; i <= 2; i++)
        {
            await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, Patience, "ana", Cancel);
            await hub.Fleet.WantSettingsAsync(hub.Air, Json($$"""{"level":{{i}} }"""), null, null, "ana", Cancel);
            await hub.Fleet.IssueClaimAsync(hub.Air, $"profile-{i}", "ana", Cancel);
        }

        var line = Assert.Single(await hub.Fleet.LinesAsync(Cancel));
        var newest = (await hub.Fleet.CommandsAsync(hub.Air.Id, 1, Cancel))[0];
        Assert.Equal((hub.Air.Id, 2, null, newest with { Result = null }, "profile-2"), (line.Key, line.Value.WantedVersion, line.Value.WantedAgent, line.Value.LastCommand!, line.Value.Claim!.Profile!));
    }

    [Fact]
    public async Task To_a_station_that_is_not_there_nothing_is_sent_and_that_is_said_at_once()
    {
        await using var hub = await StartAsync(world);
        Assert.Contains("has never said", (await Assert.ThrowsAsync<StationAwayException>(() => Ask(hub))).Message, StringComparison.Ordinal);
        await hub.OnlineAsync();
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, """{"state":"offline","reason":"lost"}""", hub.Now);
        Assert.Contains("not connected", (await Assert.ThrowsAsync<StationAwayException>(() => Ask(hub))).Message, StringComparison.Ordinal);
        Assert.Empty(hub.Broker.Published);
        Assert.Empty(await hub.Fleet.CommandsAsync(hub.Air.Id, 10, Cancel));
    }

    [Theory]
    [InlineData("reboot", null, "There is no command 'reboot'")]
    [InlineData("time", null, "There is no command 'time'")]
    [InlineData("identify", "[1]", "JSON object")]
    [InlineData("rotate-credentials", """{"secret":"mine"}""", "the hub makes the secret")]
    public async Task A_command_that_is_none_or_has_wrong_arguments_is_refused(string name, string? arguments, string problem)
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await hub.Fleet.CommandAsync(hub.Air, name, arguments is null ? null : Json(arguments), Patience, "ana", Cancel));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_does_not_wait_long_enough_can_fetch_the_answer_later()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        HubMessage? sent = null;
        hub.Broker.OnCommand = message =>
        {
            sent = message;
            return Task.CompletedTask;
        };
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.ReadNow, null, TimeSpan.Zero, "ana", Cancel);
        Assert.False(asked.IsOver);
        await Eventually.TrueAsync(() => sent is not null, "it is sent");
        await hub.Broker.ReplyAsync(sent!, new CommandReply(CommandOutcome.Done), hub.Now);
        Assert.Equal(CommandStep.Done, (await hub.Fleet.FindCommandAsync(hub.Air.Id, asked.Id, Cancel))!.Step);
        Assert.True(hub.Stations.TryGet("aveiro", "air-1", out var other));
        Assert.Null(await hub.Fleet.FindCommandAsync(other.Id, asked.Id, Cancel));
    }

    [Fact]
    public async Task Without_an_answer_it_expires_and_a_late_one_still_counts()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        var sent = Sent(hub);
        var asking = hub.Fleet.CommandAsync(hub.Air, CommandNames.Restart, null, Patience, "ana", Cancel).AsTask();
        await Eventually.TrueAsync(() => sent.Task.IsCompleted, "it is sent");
        await Advance(hub, TimeSpan.FromSeconds(62), () => asking.IsCompleted);
        var expired = await asking;
        Assert.Equal(CommandStep.Expired, expired.Step);
        Assert.Contains("may have done it", expired.Problem, StringComparison.Ordinal);
        await hub.Broker.ReplyAsync(await sent.Task, new CommandReply(CommandOutcome.Done), hub.Now);
        Assert.Equal((CommandStep.Done, null), await StateAsync(hub, expired.Id));
    }

    [Fact]
    public async Task The_first_answer_counts_and_only_from_the_station_that_was_asked()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        var sent = Sent(hub);
        var asking = hub.Fleet.CommandAsync(hub.Air, CommandNames.ReadNow, null, Patience, "ana", Cancel).AsTask();
        var command = await sent.Task.WaitAsync(Eventually.Limit, TimeProvider.System, Cancel);
        var yes = System.Text.Encoding.UTF8.GetString(new CommandReply(CommandOutcome.Done).ToUtf8());
        await hub.Broker.SayAsync("aveiro", "air-1", StationMessageKind.Reply, yes, hub.Now, command.Correlation);
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Reply, yes, hub.Now, new byte[] { 1, 2, 3 });
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Reply, yes, hub.Now, Array.Empty<byte>());
        Assert.False(asking.IsCompleted);
        await hub.Broker.ReplyAsync(command, new CommandReply(CommandOutcome.Failed, "first\nline"), hub.Now);
        await hub.Broker.ReplyAsync(command, new CommandReply(CommandOutcome.Done), hub.Now);
        var answered = await asking;
        Assert.Equal((CommandStep.Failed, "first line"), (answered.Step, answered.Problem));
        Assert.Equal((CommandStep.Failed, "first line"), await StateAsync(hub, answered.Id));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_is_a_failure_that_says_so()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        hub.Broker.OnCommand = message => hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Reply, """{"outcome":"perhaps"}""", hub.Now, message.Correlation).AsTask();
        var answered = await hub.Fleet.CommandAsync(hub.Air, CommandNames.ReadNow, null, Patience, "ana", Cancel);
        Assert.Equal(CommandStep.Failed, answered.Step);
        Assert.StartsWith("The station's answer cannot be read: ", answered.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_under_way_are_limited_for_a_station_and_for_the_hub()
    {
        await using var hub = await StartAsync(world, settings: [("Hub:Fleet:CommandsPerStationMax", "2"), ("Hub:Fleet:CommandsMax", "3")]);
        await hub.OnlineAsync();
        await hub.OnlineAsync("aveiro");
        Assert.True(hub.Stations.TryGet("aveiro", "air-1", out var other));
        await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel);
        await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel);
        Assert.Contains("CommandsPerStationMax", (await Assert.ThrowsAsync<FleetBusyException>(() => Ask(hub))).Message, StringComparison.Ordinal);
        await hub.Fleet.CommandAsync(other, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel);
        Assert.Contains("CommandsMax", (await Assert.ThrowsAsync<FleetBusyException>(async () => await hub.Fleet.CommandAsync(other, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel))).Message, StringComparison.Ordinal);

        // Time goes on until they have: whoever looks for them may have begun to wait only after a single step.
        await Advance(hub, TimeSpan.FromSeconds(62), () => hub.Fleet.CommandsAsync(hub.Air.Id, 10, Cancel).AsTask().GetAwaiter().GetResult().All(c => c.Step == CommandStep.Expired));

        // It waits, or is sent already.
        Assert.False((await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel)).IsOver);
    }

    [Fact]
    public async Task Only_the_newest_are_kept()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        hub.Broker.OnCommand = message => hub.Broker.ReplyAsync(message, new CommandReply(CommandOutcome.Done), hub.Now).AsTask();
        for (var i = 0; i < CommandDesk.HistoryMax + 5; i++)
        {
            await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, Patience, "ana", Cancel);
        }

        Assert.Equal(CommandDesk.HistoryMax, (await hub.Fleet.CommandsAsync(hub.Air.Id, 1_000, Cancel)).Count);
    }

    [Fact]
    public async Task The_command_line_asks_through_the_running_hub()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        hub.Broker.OnCommand = message => hub.Broker.ReplyAsync(message, new CommandReply(CommandOutcome.Done, null, Json("""{"readings":[]}""")), hub.Now).AsTask();
        await using var tool = await StartAsync(world, serves: false, LongExpiry);
        var asking = tool.Fleet.CommandAsync(tool.Air, CommandNames.ReadNow, null, Patience, "command line", Cancel).AsTask();
        await Advance(hub, TimeSpan.FromSeconds(2), () => asking.IsCompleted);
        Assert.Equal((CommandStep.Done, """{"readings":[]}"""), ((await asking).Step, (await asking).Result!.Value.GetRawText()));
    }

    [Fact]
    public async Task What_could_not_be_sent_in_time_expires_while_the_broker_is_still_away()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        hub.Broker.Away = true;
        var first = await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel);
        var second = await hub.Fleet.CommandAsync(hub.Air, CommandNames.Restart, null, TimeSpan.Zero, "ana", Cancel);
        await Advance(hub, TimeSpan.FromSeconds(62), () => hub.Fleet.CommandsAsync(hub.Air.Id, 10, Cancel).AsTask().GetAwaiter().GetResult().All(c => c.Step == CommandStep.Expired));
        foreach (var asked in new[] { first, second })
        {
            Assert.Equal("It could not be sent in time: the broker could not be reached.", (await hub.Fleet.FindCommandAsync(hub.Air.Id, asked.Id, Cancel))!.Problem);
        }
    }

    [Fact]
    public async Task While_the_broker_is_away_it_waits_and_then_goes_out_or_expires()
    {
        await using var hub = await StartAsync(world, settings: LongExpiry);
        await hub.OnlineAsync();
        hub.Broker.Away = true;
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, TimeSpan.Zero, "ana", Cancel);
        var lost = await hub.Fleet.CommandAsync(hub.Air, CommandNames.Restart, null, TimeSpan.Zero, "ana", Cancel);
        hub.Broker.OnCommand = message => message.Topic.EndsWith("identify", StringComparison.Ordinal) ? hub.Broker.ReplyAsync(message, new CommandReply(CommandOutcome.Done), hub.Now).AsTask() : Task.CompletedTask;
        await Advance(hub, TimeSpan.FromSeconds(2), () => false, rounds: 3);

        // Each attempt is marked before it is made, and unmarked when the broker did not take it.
        await Eventually.TrueAsync(async () => await StateAsync(hub, asked.Id) is (CommandStep.Waiting, null), "the command waits");
        hub.Broker.Away = false;
        await Advance(hub, TimeSpan.FromSeconds(2), () => StateAsync(hub, asked.Id).AsTask().GetAwaiter().GetResult().Step == CommandStep.Done);
        await Advance(hub, TimeSpan.FromMinutes(5), () => StateAsync(hub, lost.Id).AsTask().GetAwaiter().GetResult().Step == CommandStep.Expired);
    }

    [Fact]
    public async Task A_hub_that_stopped_meanwhile_still_hears_the_answer()
    {
        TaskCompletionSource<HubMessage> sent;
        long id;
        await using (var hub = await StartAsync(world))
        {
            await hub.OnlineAsync();
            sent = Sent(hub);
            id = (await hub.Fleet.CommandAsync(hub.Air, CommandNames.Diagnostics, null, TimeSpan.Zero, "ana", Cancel)).Id;
            await sent.Task.WaitAsync(Eventually.Limit, TimeProvider.System, Cancel);
        }

        await using var next = await StartAsync(world);
        await next.Broker.ReplyAsync(await sent.Task, new CommandReply(CommandOutcome.Done, null, Json("""{"log":[]}""")), next.Now);
        Assert.Equal((CommandStep.Done, null), await StateAsync(next, id));
        Assert.Single(next.Broker.Published);
    }

    internal static TaskCompletionSource<HubMessage> Sent(FleetHost hub)
    {
        var sent = new TaskCompletionSource<HubMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Broker.OnCommand = message =>
        {
            sent.TrySetResult(message);
            return Task.CompletedTask;
        };
        return sent;
    }

    /// <summary>Lets time pass in steps, until something is so.</summary>
    internal static async Task Advance(FleetHost hub, TimeSpan step, Func<bool> until, int? rounds = null)
    {
        if (rounds is { } count)
        {
            for (var i = 0; i < count; i++)
            {
                hub.Time.Advance(step);
                await Task.Yield();
            }

            return;
        }

        await Eventually.TrueAsync(
            () =>
            {
                if (until())
                {
                    return true;
                }

                hub.Time.Advance(step);
                return false;
            },
            "it comes to be as time passes");
    }

    private static async Task<AgentCommand> Ask(FleetHost hub) => await hub.Fleet.CommandAsync(hub.Air, CommandNames.Identify, null, Patience, "ana", Cancel);

    private static async ValueTask<(CommandStep Step, string? Problem)> StateAsync(FleetHost hub, long id)
    {
        var found = (await hub.Fleet.FindCommandAsync(hub.Air.Id, id, Cancel))!;
        return (found.Step, found.Problem);
    }
}
