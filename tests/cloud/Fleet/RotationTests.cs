using System.Text;
using System.Text.Json;
using Hub.Cloud.Fleet.Commands;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using static Hub.Cloud.Fleet.Tests.FleetHost;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>A new secret for a station: made by the hub, never a lock-out, never seen.</summary>
public sealed class RotationTests : IDisposable
{
    private readonly World world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_station_that_takes_it_has_it_and_the_old_one_ends_after_its_overlap()
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, CommandOutcome.Done);
        var done = await RotateAsync(hub);
        Assert.Equal(CommandStep.Done, done.Step);
        Assert.True(LogsIn(hub, world.Secret!) && LogsIn(hub, made()));
        await SettledAsync(hub, done.Id);
        Assert.True(LogsIn(hub, world.Secret!));
        hub.Time.Advance(TimeSpan.FromHours(24));
        Assert.False(LogsIn(hub, world.Secret!));
        Assert.True(LogsIn(hub, made()));
        Assert.Equal(CommandStep.Done, StepOf(hub, done.Id));
    }

    [Theory]
    [InlineData(CommandOutcome.Refused, CommandStep.Refused)]
    [InlineData(CommandOutcome.Failed, CommandStep.Failed)]
    public async Task A_station_that_will_not_keeps_its_old_one_and_the_new_one_ends(CommandOutcome outcome, CommandStep step)
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, outcome);
        var answered = await RotateAsync(hub);
        Assert.Equal(step, answered.Step);
        await SettledAsync(hub, answered.Id);
        Assert.False(LogsIn(hub, made()));
        await CommandTests.Advance(hub, TimeSpan.FromHours(30), () => false, rounds: 3);
        Assert.True(LogsIn(hub, world.Secret!));
        Assert.Equal(step, StepOf(hub, answered.Id));
    }

    [Fact]
    public async Task A_station_that_says_yes_and_goes_back_to_its_old_one_is_not_locked_out()
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, CommandOutcome.Done);
        var done = await RotateAsync(hub);
        Assert.True(LogsIn(hub, world.Secret!));
        await CommandTests.Advance(hub, TimeSpan.FromMinutes(6), () => StepOf(hub, done.Id) == CommandStep.Failed);
        Assert.False(LogsIn(hub, made()));
        await CommandTests.Advance(hub, TimeSpan.FromHours(30), () => false, rounds: 3);
        Assert.True(LogsIn(hub, world.Secret!));
    }

    [Fact]
    public async Task A_station_that_is_not_heard_of_again_finds_its_old_one_in_force()
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, null);
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel);
        await Eventually.TrueAsync(() => made() is not null, "it is sent");
        await CommandTests.Advance(hub, TimeSpan.FromHours(2), () => StepOf(hub, asked.Id) == CommandStep.Failed);
        Assert.True(hub.Now - Start.UtcDateTime >= TimeSpan.FromHours(21.6));
        await CommandTests.Advance(hub, TimeSpan.FromHours(30), () => false, rounds: 2);
        Assert.True(LogsIn(hub, world.Secret!));
        Assert.False(LogsIn(hub, made()!));
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_made_good_by_the_next_login()
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, null);
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel);
        await Eventually.TrueAsync(() => made() is not null, "it is sent");
        await CommandTests.Advance(hub, TimeSpan.FromSeconds(62), () => StepOf(hub, asked.Id) == CommandStep.Expired);
        Assert.True(LogsIn(hub, made()!));
        await CommandTests.Advance(hub, TimeSpan.FromSeconds(2), () => StepOf(hub, asked.Id) == CommandStep.Done);
        await SettledAsync(hub, asked.Id);
        hub.Time.Advance(TimeSpan.FromHours(24));
        Assert.False(LogsIn(hub, world.Secret!));
        Assert.True(LogsIn(hub, made()!));
    }

    [Fact]
    public async Task A_hub_that_stops_in_the_middle_locks_nobody_out()
    {
        string made;
        long id;
        await using (var hub = await StartAsync(world))
        {
            var secret = await ReadyAsync(hub, null);
            id = (await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel)).Id;
            await Eventually.TrueAsync(() => secret() is not null, "it is sent");
            made = secret()!;
        }

        await using var next = await StartAsync(world);
        Assert.True(LogsIn(next, world.Secret!));
        await CommandTests.Advance(next, TimeSpan.FromMinutes(6), () => StepOf(next, id) == CommandStep.Failed);
        Assert.False(LogsIn(next, made));
        await CommandTests.Advance(next, TimeSpan.FromHours(30), () => false, rounds: 2);
        Assert.True(LogsIn(next, world.Secret!));
    }

    [Fact]
    public async Task One_at_a_time_and_not_where_it_is_not_known_which_secret_the_station_has()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        var unknown = await RotateAsync(hub);
        Assert.Equal(CommandStep.Refused, unknown.Step);
        Assert.Contains("has not logged in", unknown.Problem, StringComparison.Ordinal);
        await ReadyAsync(hub, CommandOutcome.Done);
        await RotateAsync(hub);
        await Assert.ThrowsAsync<FleetBusyException>(() => RotateAsync(hub));
    }

    [Fact]
    public async Task Not_where_the_broker_keeps_the_secrets_itself()
    {
        await using var hub = await StartAsync(world);
        await ReadyAsync(hub, CommandOutcome.Done);
        hub.Broker.ChecksSecrets = false;
        var refused = await RotateAsync(hub);
        Assert.Equal(CommandStep.Refused, refused.Step);
        Assert.Contains("hub station mosquitto", refused.Problem, StringComparison.Ordinal);
        Assert.True(LogsIn(hub, world.Secret!));
    }

    [Fact]
    public async Task A_broker_that_is_away_changes_no_secret()
    {
        await using var hub = await StartAsync(world);
        await ReadyAsync(hub, CommandOutcome.Done);
        hub.Broker.Away = true;
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel);

        await CommandTests.Advance(hub, TimeSpan.FromSeconds(2), () => StepOf(hub, asked.Id) is not (CommandStep.Waiting or CommandStep.Sent));
        Assert.Equal(CommandStep.Expired, StepOf(hub, asked.Id));
        Assert.Contains("could not be sent in time", (await hub.Fleet.FindCommandAsync(hub.Air.Id, asked.Id, Cancel))!.Problem, StringComparison.Ordinal);
        Assert.True(LogsIn(hub, world.Secret!));
        await CommandTests.Advance(hub, TimeSpan.FromHours(30), () => false, rounds: 2);
        Assert.True(LogsIn(hub, world.Secret!));
    }

    [Fact]
    public async Task A_broker_that_is_back_in_time_has_it_sent()
    {
        await using var hub = await StartAsync(world, settings: CommandTests.LongExpiry);
        var made = await ReadyAsync(hub, CommandOutcome.Done);
        hub.Broker.Away = true;
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel);

        // Small steps, so that its time is not over before a busy machine has tried.
        var small = TimeSpan.FromMilliseconds(100);

        // Nobody logs in meanwhile: which secret the station has is known from before.
        await Eventually.TrueAsync(() => hub.Broker.Refusals > 0, "it was tried");
        await CommandTests.Advance(hub, small, () => hub.Broker.Refusals > 2);
        hub.Broker.Away = false;
        await CommandTests.Advance(hub, small, () => StepOf(hub, asked.Id) is not (CommandStep.Waiting or CommandStep.Sent));
        Assert.Equal(CommandStep.Done, StepOf(hub, asked.Id));
        Assert.True(LogsIn(hub, made()));
    }

    [Fact]
    public async Task The_secret_is_nowhere_but_on_its_way()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        Assert.True(LogsIn(hub, world.Secret!));
        string? made = null;
        hub.Broker.OnCommand = message =>
        {
            made = SecretOf(message);
            return hub.Broker.ReplyAsync(message, new CommandReply(CommandOutcome.Done, null, JsonSerializer.SerializeToElement(new { echoed = made })), hub.Now).AsTask();
        };
        var done = await RotateAsync(hub);
        Assert.Null(done.Result);
        await using var context = await hub.ContextAsync();
        var row = await context.Commands.SingleAsync(c => c.Id == done.Id, Cancel);
        Assert.Equal((null, null, null), (row.Arguments, row.Result, row.Problem));
        Assert.NotNull(made);
    }

    [Theory]
    [InlineData(SecretUse.Current, CommandStep.Sent, 0, "Keep")]
    [InlineData(SecretUse.Current, CommandStep.Expired, 23, "Keep")]
    [InlineData(SecretUse.Previous, CommandStep.Done, 0, "Wait")]
    [InlineData(SecretUse.Previous, CommandStep.Done, 1, "TakeBack")]
    [InlineData(SecretUse.Previous, CommandStep.Refused, 0, "TakeBack")]
    [InlineData(SecretUse.None, CommandStep.Failed, 0, "TakeBack")]
    [InlineData(SecretUse.None, CommandStep.Done, 21, "Wait")]
    [InlineData(SecretUse.None, CommandStep.Done, 22, "TakeBack")]
    public void What_is_done_about_a_rotation(SecretUse use, CommandStep step, int hours, string verdict)
    {
        var sent = Start.UtcDateTime;
        Assert.Equal(verdict, Rotation.Judge(use, step, sent, sent.AddMinutes(1), TimeSpan.FromDays(1), sent.AddHours(hours)).ToString());
    }

    [Fact]
    public async Task A_hub_that_is_away_when_the_overlap_ends_gives_the_old_one_back_afterwards()
    {
        long id;
        await using (var hub = await StartAsync(world))
        {
            var made = await ReadyAsync(hub, null);
            id = (await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel)).Id;
            await Eventually.TrueAsync(() => made() is not null, "it is sent");
        }

        world.Time.Advance(TimeSpan.FromDays(3));
        await using var next = await StartAsync(world);
        await CommandTests.Advance(next, TimeSpan.FromSeconds(2), () => StepOf(next, id) == CommandStep.Failed);
        Assert.True(LogsIn(next, world.Secret!));
    }

    [Fact]
    public async Task A_secret_that_somebody_changed_meanwhile_is_not_undone()
    {
        await using var hub = await StartAsync(world);
        var made = await ReadyAsync(hub, null);
        var asked = await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, TimeSpan.Zero, "ana", Cancel);
        await Eventually.TrueAsync(() => made() is not null, "it is sent");
        var other = await hub.Stations.RotateSecretAsync(hub.Air.Id, TimeSpan.Zero, Cancel);
        await SettledAsync(hub, asked.Id);
        Assert.True(LogsIn(hub, other));
        Assert.False(LogsIn(hub, made()) || LogsIn(hub, world.Secret!));
    }

    private static async Task SettledAsync(FleetHost hub, long id)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                hub.Time.Advance(TimeSpan.FromSeconds(2));
                await using var context = await hub.ContextAsync();
                return !(await context.Commands.SingleAsync(c => c.Id == id, Cancel)).Unsettled;
            },
            "it is known which secret the station uses");
    }

    private static string SecretOf(HubMessage message) => JsonDocument.Parse(message.Payload).RootElement.GetProperty("secret").GetString()!;

    private static async Task<AgentCommand> RotateAsync(FleetHost hub) => await hub.Fleet.CommandAsync(hub.Air, CommandNames.RotateCredentials, null, CommandTests.Patience, "ana", Cancel);

    private static bool LogsIn(FleetHost hub, string secret) => hub.Stations.Authenticate("braga", "air-1", Encoding.UTF8.GetBytes(secret), out _);

    private static CommandStep StepOf(FleetHost hub, long id) => hub.Fleet.FindCommandAsync(hub.Air.Id, id, Cancel).AsTask().GetAwaiter().GetResult()!.Step;

    /// <summary>A station that is there, has logged in, and will answer so (or not at all); gives the secret it was sent.</summary>
    private async Task<Func<string>> ReadyAsync(FleetHost hub, CommandOutcome? outcome)
    {
        await hub.OnlineAsync();
        Assert.True(LogsIn(hub, world.Secret!));
        string? made = null;
        hub.Broker.OnCommand = message =>
        {
            made = SecretOf(message);
            return outcome is { } said ? hub.Broker.ReplyAsync(message, new CommandReply(said, said == CommandOutcome.Done ? null : "no"), hub.Now).AsTask() : Task.CompletedTask;
        };
        return () => made!;
    }
}
