using CsCheck;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using static Hub.Cloud.Fleet.Tests.FleetHost;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>What is wanted of stations: versions, history, undo, and how it comes to the broker.</summary>
public sealed class WantedTests : IDisposable
{
    private readonly World world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task Settings_become_a_retained_document_with_a_version_counted_up()
    {
        await using var hub = await StartAsync(world);
        Assert.Null(await hub.Fleet.WantedAsync(hub.Air.Id, Cancel));
        var first = await hub.Fleet.WantSettingsAsync(hub.Air, Json("""{"report":{"interval":"00:05:00"}}"""), TimeSpan.FromMinutes(2), 0, "ana", Cancel);
        Assert.Equal((1, "ana", WantedChange.Settings), (first.Version, first.ChangedBy, first.Change));
        await hub.PublishedAsync(1);
        Assert.Equal("""{"version":1,"settings":{"report":{"interval":"00:05:00"}},"trial":"00:02:00"}""", hub.Broker.Retained["hub/v1/braga/air-1/config/desired"]);
        await hub.WantAsync("""{"report":{"interval":"00:01:00"}}""");
        await hub.PublishedAsync(2);
        Assert.Null(hub.Document()!.Trial);
        Assert.Null(hub.Document("aveiro"));
    }

    [Fact]
    public async Task The_same_again_is_no_new_version()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""");
        Assert.Equal(1, (await hub.WantAsync("""{ "a" : 1 }""")).Version);
        Assert.Equal(0, (await hub.Fleet.WantSettingsAsync((await OtherAsync(hub)), null, null, null, "ana", Cancel)).Version);
        await hub.PublishedAsync(1);
        Assert.Single(hub.Broker.Published);
    }

    [Fact]
    public async Task Whoever_has_not_seen_the_last_change_is_refused_and_told_what_it_is()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""", 0);
        Assert.Equal(1, (await Assert.ThrowsAsync<WantedChangedException>(async () => await hub.WantAsync("""{"a":2}""", 0))).Version);
        Assert.Equal(2, (await hub.WantAsync("""{"a":2}""", 1)).Version);
        await Assert.ThrowsAsync<WantedChangedException>(async () => await hub.Fleet.RestoreSettingsAsync(hub.Air, 1, 1, "ana", Cancel));
    }

    [Fact]
    public async Task An_earlier_version_is_put_in_force_again_as_a_new_one_and_rules_stay()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""");
        await hub.WantAsync("""{"a":2}""");
        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high"));
        await hub.PublishedAsync(3);
        var undone = await hub.Fleet.RestoreSettingsAsync(hub.Air, 1, 3, "rui", Cancel);
        Assert.Equal((4, WantedChange.Undo, 1L, "rui"), (undone.Version, undone.Change, undone.UndoneTo, undone.ChangedBy));
        Assert.Equal("""{"a":1}""", undone.Settings!.Value.GetRawText());
        Assert.Equal("pm10-high", Assert.Single(undone.Rules).Slug);
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await hub.Fleet.RestoreSettingsAsync(hub.Air, 9, null, "rui", Cancel));
        var history = await hub.Fleet.HistoryAsync(hub.Air.Id, 10, Cancel);
        Assert.Equal([(4, "rui"), (3, "hub"), (2, "ana"), (1, "ana")], history.Select(w => (w.Version, w.ChangedBy)));
    }

    [Fact]
    public async Task Back_to_the_station_file_alone_is_a_version_without_settings()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""");
        await hub.Fleet.WantSettingsAsync(hub.Air, null, null, 1, "ana", Cancel);
        await hub.PublishedAsync(2);
        Assert.Null(hub.Document()!.Settings);
    }

    [Theory]
    [InlineData("[]", "settings: give an object")]
    [InlineData("""{"Municipality":"aveiro"}""", "settings.Municipality: is the station's own")]
    [InlineData("""{"station":"x"}""", "settings.station: is the station's own")]
    [InlineData("""{"data":"/tmp"}""", "settings.data: is the station's own")]
    [InlineData("""{"update":{"keys":[]}}""", "settings.update: is the station's own")]
    [InlineData("""{"hub":{"secret":"x"}}""", "settings.hub.secret: secrets are not set")]
    [InlineData("""{"hub":{"CaFile":"/x"}}""", "settings.hub.CaFile: names a file")]
    [InlineData("""{"sensors":[{"name":"a"},{"replay":{"file":"x"}}]}""", "settings.sensors[1].replay.file: names a file")]
    [InlineData("""{"outbox":{"folder":"/x"}}""", "settings.outbox.folder: names a file")]
    [InlineData("""{"report":{},"Report":{}}""", "settings.Report: is there twice")]
    public async Task What_may_not_come_from_the_hub_is_refused_with_its_key(string settings, string problem)
    {
        await using var hub = await StartAsync(world);
        var refused = await Assert.ThrowsAsync<SettingsRefusedException>(async () => await hub.WantAsync(settings));
        Assert.StartsWith(problem, Assert.Single(refused.Problems), StringComparison.Ordinal);
        Assert.Null(await hub.Fleet.WantedAsync(hub.Air.Id, Cancel));
    }

    [Fact]
    public async Task A_document_too_large_or_with_a_wrong_trial_is_refused()
    {
        await using var hub = await StartAsync(world);
        var large = await Assert.ThrowsAsync<SettingsRefusedException>(async () => await hub.WantAsync($$"""{"a":"{{new string('x', DesiredState.BytesMax)}}"}"""));
        Assert.Contains("65536", large.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SettingsRefusedException>(async () => await hub.Fleet.WantSettingsAsync(hub.Air, Json("{}"), TimeSpan.FromSeconds(1), null, "ana", Cancel));
        await Assert.ThrowsAsync<SettingsRefusedException>(async () => await hub.Fleet.WantAgentAsync(hub.Air, new AgentTarget("new", []), "ana", Cancel));
    }

    [Theory]
    [InlineData("{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7")]
    [InlineData("{\"a\":1,\"a\":2}", "line 1")]
    [InlineData("", "line 1, column 1")]
    public void Text_that_is_no_JSON_is_refused_with_its_place(string text, string place)
    {
        Assert.False(FleetExtensions.TryParseSettings(text, out _, out var problem));
        Assert.StartsWith(place, problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem!);
    }

    [Fact]
    public async Task What_was_stored_and_not_published_is_published_at_the_next_start()
    {
        await using (var hub = await StartAsync(world))
        {
            await hub.WantAsync("""{"a":1}""");
            await hub.PublishedAsync(1);
            world.Broker.Away = true;
            await hub.WantAsync("""{"a":2}""");
        }

        Assert.Single(world.Broker.Retained);
        world.Broker.Away = false;
        await using var next = await StartAsync(world);
        await next.PublishedAsync(2);
    }

    [Fact]
    public async Task A_broker_that_lost_what_it_kept_gets_everything_at_the_next_start()
    {
        await using (var hub = await StartAsync(world))
        {
            await hub.WantAsync("""{"a":1}""");
            await hub.PublishedAsync(1);
        }

        world.Broker.Retained.Clear();
        await using var next = await StartAsync(world);
        await next.PublishedAsync(1);
    }

    [Fact]
    public async Task A_broker_that_is_away_gets_it_when_it_is_back()
    {
        await using var hub = await StartAsync(world);
        world.Broker.Away = true;
        await hub.WantAsync("""{"a":1}""");
        world.Broker.Away = false;
        await Eventually.TrueAsync(
            () =>
            {
                hub.Time.Advance(TimeSpan.FromSeconds(2));
                return hub.Document()?.Version == 1;
            },
            "it is tried again");
    }

    [Fact]
    public async Task A_change_by_the_command_line_reaches_the_station_through_the_running_hub()
    {
        await using var hub = await StartAsync(world);
        await using var tool = await StartAsync(world, serves: false);
        await tool.WantAsync("""{"a":1}""");
        await Eventually.TrueAsync(
            () =>
            {
                hub.Time.Advance(TimeSpan.FromSeconds(2));
                return hub.Document()?.Version == 1;
            },
            "the running hub has seen it");
    }

    [Fact]
    public async Task Rules_make_a_version_only_where_the_document_changes()
    {
        await using var hub = await StartAsync(world);
        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high"));
        await hub.PublishedAsync(1);
        Assert.Equal((50, 600), (hub.Document()!.Rules![0].SetLevel, hub.Document()!.Rules![0].ForSeconds));
        world.Rules.Set("braga/elsewhere", FakeRules.Rule("other"));
        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high"));
        await hub.WantAsync("""{"a":1}""");
        await hub.PublishedAsync(2);
        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high", 60));
        await hub.PublishedAsync(3);
        world.Rules.Set("braga/air-1");
        await hub.PublishedAsync(4);
        Assert.Null(hub.Document()!.Rules);
        Assert.Equal("""{"a":1}""", hub.Document()!.Settings!.Value.GetRawText());
        Assert.Null(hub.Document("aveiro"));
    }

    [Fact]
    public async Task Rules_that_changed_while_the_hub_was_down_are_taken_over_at_the_start()
    {
        await using (var hub = await StartAsync(world))
        {
            world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high"));
            await hub.PublishedAsync(1);
        }

        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high", 70));
        await using var next = await StartAsync(world);
        await next.PublishedAsync(2);
    }

    [Fact]
    public async Task Of_too_many_rules_the_first_are_given_and_what_does_not_fit_beside_the_settings_is_left()
    {
        await using var hub = await StartAsync(world);
        world.Rules.Set("braga/air-1", [.. Enumerable.Range(0, 120).Select(i => FakeRules.Rule($"rule-{i:000}"))]);
        await hub.PublishedAsync(1);
        Assert.Equal(DesiredState.RulesMax, hub.Document()!.Rules!.Count);
        world.Rules.Set("braga/air-1");
        await hub.PublishedAsync(2);
        await hub.WantAsync($$"""{"a":"{{new string('x', DesiredState.BytesMax - 1_000)}}"}""");
        await hub.PublishedAsync(3);
        world.Rules.Set("braga/air-1", [.. Enumerable.Range(0, 50).Select(i => FakeRules.Rule($"rule-{i:000}"))]);
        await hub.WantAsync("""{"b":1}""", 3);
        await Eventually.TrueAsync(() => hub.Document()!.Rules?.Count == 50, "when there is room they are taken over after all");
        Assert.Equal("""{"b":1}""", hub.Document()!.Settings!.Value.GetRawText());
    }

    [Fact]
    public async Task Rules_that_did_not_fit_are_taken_over_when_another_process_makes_room()
    {
        await using var hub = await StartAsync(world);
        await using var tool = await StartAsync(world, serves: false);
        await hub.WantAsync($$"""{"a":"{{new string('x', DesiredState.BytesMax - 1_000)}}"}""");
        await hub.PublishedAsync(1);
        var asked = world.Rules.Asked;
        world.Rules.Set("braga/air-1", [.. Enumerable.Range(0, 50).Select(i => FakeRules.Rule($"rule-{i:000}"))]);
        await Eventually.TrueAsync(() => world.Rules.Asked > asked, "the rules are looked at");

        // What is published after them says that they were refused.
        await hub.Fleet.WantSettingsAsync(await OtherAsync(hub), Json("{}"), null, null, "ana", Cancel);
        await Eventually.TrueAsync(() => hub.Document("aveiro") is not null, "they did not fit");
        await tool.WantAsync("""{"b":1}""", 1);
        await Eventually.TrueAsync(
            () =>
            {
                hub.Time.Advance(TimeSpan.FromSeconds(2));
                return hub.Document()!.Rules?.Count == 50;
            },
            "they are taken over");
        Assert.Equal("""{"b":1}""", hub.Document()!.Settings!.Value.GetRawText());
    }

    [Fact]
    public async Task Another_process_that_is_faster_does_not_end_the_keeper()
    {
        await using var hub = await StartAsync(world);
        await using var tool = await StartAsync(world, serves: false);
        world.BeforeSave = async context =>
        {
            if (context.ChangeTracker.Entries<Storage.WantedRow>().Any(entry => entry.Entity.Change == WantedChange.Rules))
            {
                world.BeforeSave = null;
                await tool.WantAsync("""{"t":1}""");
            }
        };
        world.Rules.Set("braga/air-1", FakeRules.Rule("pm10-high"));
        await Eventually.TrueAsync(
            () =>
            {
                hub.Time.Advance(TimeSpan.FromSeconds(2));
                return hub.Document()?.Rules?.Count == 1;
            },
            "the rules are taken over in a later round");
        Assert.Equal((2, """{"t":1}"""), (hub.Document()!.Version, hub.Document()!.Settings!.Value.GetRawText()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_station_heard_of_for_the_first_time_in_the_moment_something_is_wanted_of_it_gets_both(bool heardFirst)
    {
        await using var hub = await StartAsync(world);
        world.BeforeSave = async context =>
        {
            if (context.ChangeTracker.Entries().Any())
            {
                world.BeforeSave = null;
                await (heardFirst ? Want() : Hear());
            }
        };
        await (heardFirst ? Hear() : Want());
        Assert.Equal(Presence.Online, hub.Fleet.AgentOf(hub.Air.Id).Presence);
        Assert.Equal(1, (await hub.Fleet.WantedAsync(hub.Air.Id, Cancel))!.Version);

        Task Want() => hub.WantAsync("""{"a":1}""").AsTask();

        Task Hear() => hub.OnlineAsync().AsTask();
    }

    [Fact]
    public async Task An_agent_is_a_part_of_its_own()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""");
        var agent = new AgentTarget("1.4.0", [new AgentBundle("linux-arm64", "https://hub.example.pt/agents/v1/bundles/x", 11_000_000, new string('a', 64))]);
        Assert.Equal(WantedChange.Agent, (await hub.Fleet.WantAgentAsync(hub.Air, agent, "ana", Cancel)).Change);
        await hub.PublishedAsync(2);
        Assert.Equal(("1.4.0", """{"a":1}"""), (hub.Document()!.Agent!.Version, hub.Document()!.Settings!.Value.GetRawText()));
        await hub.WantAsync("""{"a":2}""");
        await hub.PublishedAsync(3);
        Assert.Equal("1.4.0", hub.Document()!.Agent!.Version);
        await hub.Fleet.WantAgentAsync(hub.Air, null, "ana", Cancel);
        await hub.PublishedAsync(4);
        Assert.Null(hub.Document()!.Agent);
    }

    [Fact]
    public async Task A_station_that_is_removed_leaves_nothing_to_whoever_gets_its_name()
    {
        await using var hub = await StartAsync(world);
        await hub.WantAsync("""{"a":1}""");
        await hub.OnlineAsync();
        await hub.PublishedAsync(1);
        var gone = hub.Air;
        await hub.Stations.RemoveAsync(gone.Id, Cancel);
        await Eventually.TrueAsync(() => hub.Document() is null, "the document is cleared");
        await Eventually.TrueAsync(() => hub.Fleet.AgentOf(gone.Id).Presence == Presence.Unknown, "nothing is known of it");
        Assert.Contains(hub.Broker.Published, m => m.Topic.EndsWith("/status", StringComparison.Ordinal) && m.Payload.IsEmpty);
        await hub.Stations.RegisterAsync(new StationRegistration("braga", "air-1", "New", 41.5, -8.4), Cancel);
        Assert.Null(await hub.Fleet.WantedAsync(hub.Air.Id, Cancel));
        await hub.WantAsync("""{"b":1}""");
        await Eventually.TrueAsync(() => hub.Document()?.Settings?.GetRawText() == """{"b":1}""", "the new one has its own");
        Assert.Empty(await hub.Fleet.HistoryAsync(gone.Id, 10, Cancel));
    }

    [Fact]
    public async Task The_history_is_bounded()
    {
        await using var hub = await StartAsync(world, settings: ("Hub:Fleet:HistoryMax", "10"));
        for (var i = 1; i <= 25; i++)
        {
            await hub.WantAsync($$"""{"a":{{i}}}""");
        }

        var history = await hub.Fleet.HistoryAsync(hub.Air.Id, 100, Cancel);
        Assert.Equal((25, 16, 10), (history[0].Version, history[^1].Version, history.Count));
    }

    /// <summary>Whatever happens in whatever order, crashes of the hub and absences of the broker included: versions only grow, and in the end the broker keeps what the database says.</summary>
    [Fact]
    public async Task After_any_history_the_broker_keeps_what_the_database_says()
    {
        await Gen.Int[0, 5].Array[1, 12].SampleAsync(
            async steps =>
            {
                using var own = new World();
                var hub = await StartAsync(own);
                try
                {
                    long last = 0;
                    for (var i = 0; i < steps.Length; i++)
                    {
                        switch (steps[i])
                        {
                            case 0:
                                await hub.WantAsync($$"""{"a":{{i % 3}}}""");
                                break;
                            case 1:
                                own.Broker.Away = !own.Broker.Away;
                                break;
                            case 2:
                                await hub.DisposeAsync();
                                hub = await StartAsync(own);
                                break;
                            case 3:
                                own.Rules.Set("braga/air-1", [.. Enumerable.Range(0, i % 3).Select(n => FakeRules.Rule($"r{n}"))]);
                                break;
                            case 4 when await hub.Fleet.HistoryAsync(hub.Air.Id, 5, Cancel) is [.., var oldest]:
                                await hub.Fleet.RestoreSettingsAsync(hub.Air, oldest.Version, null, "ana", Cancel);
                                break;
                            default:
                                await using (var tool = await StartAsync(own, serves: false))
                                {
                                    await Retry(() => tool.WantAsync($$"""{"t":{{i}}}"""));
                                }

                                break;
                        }

                        var version = (await hub.Fleet.WantedAsync(hub.Air.Id, Cancel))?.Version ?? 0;
                        Assert.True(version >= last);
                        last = version;
                    }

                    own.Broker.Away = false;
                    await Eventually.TrueAsync(
                        async () =>
                        {
                            own.Time.Advance(TimeSpan.FromSeconds(2));
                            var wanted = await hub.Fleet.WantedAsync(hub.Air.Id, Cancel);
                            var document = hub.Document();
                            return (document?.Version ?? 0) == (wanted?.Version ?? 0)
                                && document?.Settings?.GetRawText() == wanted?.Settings?.GetRawText()
                                && (document?.Rules ?? []).SequenceEqual(own.Rules.For(hub.Air));
                        },
                        "they are the same");
                }
                finally
                {
                    await hub.DisposeAsync();
                }
            },
            iter: 12,
            threads: 1);

        static async Task Retry(Func<ValueTask<Wanted>> change)
        {
            while (true)
            {
                try
                {
                    await change();
                    return;
                }
                catch (WantedChangedException)
                {
                    // The running hub was faster; a person would decide again. It has only so many rules to take over.
                }
            }
        }
    }

    private static async Task<Station> OtherAsync(FleetHost hub)
    {
        await Task.Yield();
        return hub.Stations.TryGet("aveiro", "air-1", out var other) ? other : throw new InvalidOperationException();
    }
}
