using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.Api.Tests;

public sealed class LiveTests
{
    private static readonly DateTime Noon = ApiHost.Now;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Observations_come_as_they_are_committed_and_private_ones_only_to_their_people()
    {
        await using var host = await ApiHost.StartAsync();
        await using var anybody = await Ear.OpenAsync(host);
        await using var braga = await Ear.OpenAsync(host, rights: "Viewer@braga");
        await using var aveiro = await Ear.OpenAsync(host, "?municipality=aveiro");
        await host.StoreAsync(
            new Observation(host.PrivateNo2, Noon, 40, Quality.Good),
            new Observation(host.Pm10, Noon, 12.5, Quality.Stuck),
            new Observation(host.Vehicles, Noon, 7, Quality.Good));
        await host.HearAsync(() => anybody.Events.Count >= 2 && braga.Events.Count >= 3 && aveiro.Events.Count >= 1);
        Assert.Equal([host.Pm10, host.Vehicles], anybody.Datastreams);
        Assert.Equal([host.PrivateNo2, host.Pm10, host.Vehicles], braga.Datastreams);
        Assert.Equal([host.Vehicles], aveiro.Datastreams);
        Assert.Equal(
            """{"datastream":1,"municipality":"braga","station":"centro","sensor":"air","property":"pm10","unit":"ug/m3","phenomenonTime":"2026-03-01T12:00:00Z","result":12.5,"quality":["stuck"]}""",
            anybody.Events[0].Data);
    }

    [Fact]
    public async Task Whoever_draws_many_gets_all_of_an_interval_in_one_event()
    {
        await using var host = await ApiHost.StartAsync();
        await using var anybody = await Ear.OpenAsync(host, "?batch=true");
        await using var another = await Ear.OpenAsync(host, "?batch=true");
        await using var braga = await Ear.OpenAsync(host, "?batch=true&municipality=braga", rights: "Viewer@braga");
        await host.StoreAsync(
            new Observation(host.PrivateNo2, Noon, 40, Quality.Good), new Observation(host.Pm10, Noon, 12.5, Quality.Stuck | Quality.Drift), new Observation(host.Vehicles, Noon, 7, Quality.Good));
        await host.HearAsync(() => anybody.Events.Count >= 1 && another.Events.Count >= 1 && braga.Events.Count >= 1);
        var seen = string.Create(CultureInfo.InvariantCulture, $"[[{host.Pm10},\"braga/centro\",\"pm10\",1772366400000,12.5,[\"stuck\",\"drift\"]],[{host.Vehicles},\"aveiro/ria\",\"vehicle_count\",1772366400000,7]]");
        Assert.Equal(("observations", seen), (anybody.Events.Single().Kind, anybody.Events[0].Data));
        Assert.Equal(seen, another.Events.Single().Data);
        Assert.Equal([host.PrivateNo2, host.Pm10], JsonDocument.Parse(braga.Events.Single().Data).RootElement.EnumerateArray().Select(row => row[0].GetInt32()));
        await host.ProblemAsync("/api/v1/live?batch=yes", 400, "bad-parameter");
    }

    [Fact]
    public async Task What_changes_all_the_time_comes_in_every_frame_and_what_changes_once_exactly_once()
    {
        await using var host = await ApiHost.StartAsync();
        List<Ear> ears = [];
        for (var i = 0; i < 24; i++)
        {
            // Who comes between two edges has missed nothing and hears nothing twice.
            ears.Add(await Ear.OpenAsync(host, i % 2 == 0 ? "" : "?municipality=braga"));
            await host.StoreAsync(new Observation(host.Pm10, Noon.AddSeconds(i), i, Quality.Good));
            host.Time.Advance(TimeSpan.FromMilliseconds(70));
        }

        await host.StoreAsync(new Observation(host.Pm10, Noon.AddSeconds(100), 100, Quality.Good));
        await host.HearAsync(() => ears.TrueForAll(ear => ear.Events.Count > 0 && ear.Results[^1] == 100));
        Assert.All(ears, ear => Assert.Equal(ear.Results.Distinct().Order(), ear.Results));
        ears.ForEach(ear => ear.DisposeAsync().AsTask().GetAwaiter().GetResult());
    }

    [Fact]
    public async Task Many_observations_of_one_datastream_are_coalesced_to_the_newest()
    {
        await using var host = await ApiHost.StartAsync();
        await using var ear = await Ear.OpenAsync(host);
        await host.StoreAsync([.. Enumerable.Range(0, 500).Select(i => new Observation(host.Pm10, Noon.AddSeconds(i), i, Quality.Good))]);
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddSeconds(-100), 1, Quality.Good));
        await host.HearAsync(() => ear.Events.Count > 0);
        Assert.Equal(499, JsonDocument.Parse(Assert.Single(ear.Events).Data).RootElement.GetProperty("result").GetDouble());

        // Later, what is late is news as well.
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddSeconds(-200), 2, Quality.Good));
        await host.HearAsync(() => ear.Events.Count > 1);
        Assert.Equal(2, JsonDocument.Parse(ear.Events[1].Data).RootElement.GetProperty("result").GetDouble());
    }

    [Fact]
    public async Task Alarms_come_when_they_change_to_those_who_may_see_them()
    {
        await using var host = await ApiHost.StartAsync();
        await using var ear = await Ear.OpenAsync(host);
        await using var braga = await Ear.OpenAsync(host, "?municipality=braga&station=escola", "Viewer@braga");
        host.Alerts.Ring(AlarmTests.Alarm(host, "c", "braga", "escola", host.PrivateNo2, hours: 1));
        host.Alerts.Ring(AlarmTests.Alarm(host, "b", "braga", "centro", host.Pm10, hours: 1));
        await host.HearAsync(() => ear.Events.Count > 0 && braga.Events.Count > 0);
        Assert.Equal(("alarm", "b"), (ear.Events.Single().Kind, JsonDocument.Parse(ear.Events[0].Data).RootElement.GetProperty("alarm").GetString()));
        Assert.Equal("c", JsonDocument.Parse(braga.Events.Single().Data).RootElement.GetProperty("alarm").GetString());
        host.Alerts.Ring(AlarmTests.Alarm(host, "b", "braga", "centro", host.Pm10, hours: 1, ended: true));
        await host.HearAsync(() => ear.Events.Count > 1);
        Assert.False(JsonDocument.Parse(ear.Events[1].Data).RootElement.GetProperty("active").GetBoolean());
    }

    [Fact]
    public async Task What_an_operator_does_with_an_alarm_is_heard_by_the_others_with_the_name_only_by_their_own()
    {
        await using var host = await ApiHost.StartAsync();
        host.Alerts.Alarms.Add(AlarmTests.Alarm(host, "b", "braga", "centro", host.Pm10, hours: 1));
        await using var stranger = await Ear.OpenAsync(host);
        await using var colleague = await Ear.OpenAsync(host, "?municipality=braga", "Operator@braga");
        await host.Handling.AcknowledgeAsync("b", new Alerts.HandledBy("ana"), null, TestContext.Current.CancellationToken);
        await host.HearAsync(() => stranger.Events.Count > 0 && colleague.Events.Count > 0);
        var (seen, known) = (JsonDocument.Parse(stranger.Events.Single().Data).RootElement, JsonDocument.Parse(colleague.Events.Single().Data).RootElement);
        Assert.Equal(("active-acknowledged", JsonValueKind.Null), (seen.GetProperty("state").GetString(), seen.GetProperty("acknowledgedBy").ValueKind));
        Assert.Equal(("active-acknowledged", "ana"), (known.GetProperty("state").GetString(), known.GetProperty("acknowledgedBy").GetString()));
    }

    [Fact]
    public async Task A_station_made_private_falls_silent_at_once()
    {
        await using var host = await ApiHost.StartAsync();
        await using var ear = await Ear.OpenAsync(host);
        host.Stations.Replace(host.Centro with { Public = false });
        await host.StoreAsync(new Observation(host.Pm10, Noon, 1, Quality.Good), new Observation(host.Vehicles, Noon, 2, Quality.Good));
        await host.HearAsync(() => ear.Events.Count > 0);
        Assert.Equal([host.Vehicles], ear.Datastreams);
    }

    [Fact]
    public async Task Silence_is_kept_alive_by_comments()
    {
        await using var host = await ApiHost.StartAsync();
        await using var ear = await Ear.OpenAsync(host);
        await host.HearAsync(() => ear.Comments.Count(c => c == ": here") >= 2);
        Assert.Empty(ear.Events);
    }

    [Fact]
    public async Task Who_comes_back_goes_on_where_it_was_and_a_strange_event_id_does_no_harm()
    {
        await using var host = await ApiHost.StartAsync();
        string last;
        await using (var ear = await Ear.OpenAsync(host))
        {
            await host.StoreAsync(new Observation(host.Pm10, Noon, 1, Quality.Good));
            await host.HearAsync(() => ear.Events.Count > 0);
            last = ear.Events[0].Id;
        }

        await host.StoreAsync(new Observation(host.Vehicles, Noon, 2, Quality.Good));
        await using var back = await Ear.OpenAsync(host, lastEvent: last);
        await using var strange = await Ear.OpenAsync(host, lastEvent: "99-é-1");
        await host.HearAsync(() => back.Events.Count > 0 && strange.Comments.Contains(": here"));
        Assert.Equal([host.Vehicles], back.Datastreams);
        Assert.Empty(strange.Events);
    }

    [Fact]
    public async Task Too_many_listeners_are_refused_and_one_that_leaves_makes_room()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:LiveClientsMax", "1"));
        await using (await Ear.OpenAsync(host))
        {
            await host.ProblemAsync("/api/v1/live", 503, "too-many-listeners");
        }

        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await using var ear = await Ear.OpenAsync(host);
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "there is room again");
    }

    [Fact]
    public async Task Who_is_signed_in_must_come_back_after_a_while()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:LiveSignedInMax", "00:01:00"));
        await using var anybody = await Ear.OpenAsync(host);
        await using var person = await Ear.OpenAsync(host, rights: "Viewer@braga");
        await host.HearAsync(() => person.Ended);
        Assert.False(anybody.Ended);
    }

    [Fact]
    public void A_change_log_is_bounded_by_keys_and_gives_each_change_once()
    {
        var log = new ChangeLog<int, string>(3);
        int Note(params string[] values) => log.Note(values, static value => value[0] - '0', 0, static (_, _, _) => Verdict.Settled, out _);
        Assert.Equal(2, Note("1", "2", "3", "4", "5"));
        var (values, version) = log.After(0);
        Assert.Equal(["3", "4", "5"], values);
        Assert.Empty(log.After(version).Values);
        Note("4b");
        Assert.Equal(["4b"], log.After(version).Values);
        Assert.Equal(["3", "5", "4b"], log.After(0).Values);
        Note("6");
        Assert.Equal(["5", "4b", "6"], log.After(0).Values);
    }
}

/// <summary>Listens to live events as a browser does.</summary>
internal sealed class Ear : IAsyncDisposable
{
    private readonly HttpClient client;
    private readonly CancellationTokenSource stop = new();

    // Filled by the reading task while a test looks.
    private readonly Lock gate = new();
    private readonly List<(string Kind, string Id, string Data)> events = [];
    private readonly List<string> comments = [];
    private Task reading = Task.CompletedTask;
    private volatile bool ended;

    private Ear(HttpClient client) => this.client = client;

    public IReadOnlyList<(string Kind, string Id, string Data)> Events
    {
        get
        {
            lock (gate)
            {
                return [.. events];
            }
        }
    }

    public IReadOnlyList<string> Comments
    {
        get
        {
            lock (gate)
            {
                return [.. comments];
            }
        }
    }

    public bool Ended => ended;

    public IEnumerable<int> Datastreams => Events.Select(e => JsonDocument.Parse(e.Data).RootElement.GetProperty("datastream").GetInt32());

    public IReadOnlyList<double> Results => [.. Events.Select(e => JsonDocument.Parse(e.Data).RootElement.GetProperty("result").GetDouble())];

    public static async Task<Ear> OpenAsync(ApiHost host, string query = "", string? rights = null, string? lastEvent = null)
    {
        var ear = new Ear(host.Client(rights));
        if (lastEvent is not null)
        {
            ear.client.DefaultRequestHeaders.TryAddWithoutValidation("Last-Event-ID", lastEvent);
        }

        var answer = await ear.client.GetAsync("/api/v1/live" + query, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        ear.reading = ear.ReadAsync(new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)));
        await Eventually.TrueAsync(() => ear.Comments.Count > 0, "the stream begins");
        return ear;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await reading;
        client.Dispose();
        stop.Dispose();
    }

    private async Task ReadAsync(StreamReader lines)
    {
        var (kind, id) = ("", "");
        try
        {
            while (await lines.ReadLineAsync(stop.Token) is { } line)
            {
                switch (line.Split(": ", 2))
                {
                    case ["event", var text]:
                        kind = text;
                        break;
                    case ["id", var text]:
                        id = text;
                        break;
                    case ["data", var text]:
                        lock (gate)
                        {
                            events.Add((kind, id, text));
                        }

                        break;
                    case ["", _]:
                        lock (gate)
                        {
                            comments.Add(line);
                        }

                        break;
                }
            }

            ended = true;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            lines.Dispose();
        }
    }
}

internal static class EarExtensions
{
    /// <summary>Lets the hub's clock run until a state is reached.</summary>
    public static Task HearAsync(this ApiHost host, Func<bool> state) => Eventually.TrueAsync(
        () =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(500));
            return state();
        },
        "what is waited for is heard");
}
