using CsCheck;
using Hub.Cloud.Fleet.Updates;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>What a campaign decides: against a city of made-up stations, with people and crashes at any moment, and case by case.</summary>
public sealed class CampaignDecisionTests
{
    private const string Wanted = "1.4.0";
    private const string Runtime = "linux-arm64";

    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private static readonly HashSet<string> Runtimes = [Runtime];

    /// <summary>How a station answers an offer.</summary>
    public enum Nature
    {
        Good,
        Refuses,
        RollsBack,
        RefusesTheDocument,
    }

    private enum Act
    {
        Round,
        RoundThatDiesBeforeTheOffers,
        RoundThatDiesAfterTheOffers,
        Station,
        StationAgain,
        ComesOrGoes,
        Pause,
        Resume,
        Cancel,
        Removed,
    }

    [Fact]
    public void Whatever_happens_no_wave_is_too_large_nothing_is_offered_past_the_limit_and_every_station_comes_to_one_end() => Gen.Select(
        Gen.Int[1, 4], Gen.Int[1, 3], Gen.Enum<Nature>().Array[1, 8], Gen.Select(Gen.Int[0, 99], Gen.Int[0, 7]).Array[0, 90], Gen.Bool).Sample(
        (wave, limit, natures, acts, force) =>
        {
            var city = new City(wave, limit, natures, force);
            foreach (var (act, station) in acts)
            {
                city.Do(ActOf(act), station % natures.Length);
            }

            city.Settle();
        },
        iter: 3_000);

    // Seldom what ends everything.
    private static Act ActOf(int number) => number switch
    {
        < 30 => Act.Round,
        < 38 => Act.RoundThatDiesBeforeTheOffers,
        < 46 => Act.RoundThatDiesAfterTheOffers,
        < 76 => Act.Station,
        < 84 => Act.StationAgain,
        < 90 => Act.ComesOrGoes,
        < 93 => Act.Pause,
        < 97 => Act.Resume,
        < 98 => Act.Cancel,
        _ => Act.Removed,
    };

    [Fact]
    public void A_station_waits_in_words_until_it_can_be_offered_the_agent()
    {
        var plan = new CampaignPlan(CampaignState.Running, Wanted, 5, 1, 0, false);
        Assert.Equal("It has never said which agent it runs, and on which machine.", Problem(new StationFacts(true, null, null)));
        Assert.Equal("It has never said which agent it runs, and on which machine.", Problem(new StationFacts(true, new ReportedState(1, TwinOutcome.Applied, 1, Noon), Noon)));
        Assert.Equal("There is no bundle of 1.4.0 for linux-x64.", Problem(Facts("1.3.0", runtime: "linux-x64")));
        Assert.Equal("It is not there now.", Problem(Facts("1.3.0", online: false)));
        Assert.Equal("The hub does not know where stations reach its pages: set Hub:PublicUrl.", Problem(Facts("1.3.0"), hasAddress: false));
        var offered = CampaignDecisions.Decide(plan, [Place()], _ => Facts("1.3.0"), Runtimes, true, Noon);
        Assert.Equal([1], offered.Offers);
        Assert.Null(offered.Places[0].Problem);

        string? Problem(StationFacts facts, bool hasAddress = true)
        {
            var verdict = CampaignDecisions.Decide(plan, [Place()], _ => facts, Runtimes, hasAddress, Noon);
            Assert.Equal((CampaignState.Running, UpdateStatus.Pending), (verdict.State, verdict.Places[0].Status));
            Assert.Empty(verdict.Offers);
            return verdict.Places[0].Problem;
        }
    }

    [Fact]
    public void What_runs_the_version_already_is_installed_without_an_offer_unless_forced()
    {
        var verdict = CampaignDecisions.Decide(new(CampaignState.Running, Wanted, 5, 1, 0, false), [Place()], _ => Facts(Wanted), Runtimes, true, Noon);
        Assert.Equal((CampaignState.Finished, UpdateStatus.Installed, 0), (verdict.State, verdict.Places[0].Status, verdict.Offers.Count));
        Assert.Equal([1], CampaignDecisions.Decide(new(CampaignState.Running, Wanted, 5, 1, 0, true), [Place()], _ => Facts(Wanted), Runtimes, true, Noon).Offers);

        // On trial it is not there yet.
        Assert.NotEqual(UpdateStatus.Installed, CampaignDecisions.Decide(new(CampaignState.Running, Wanted, 5, 1, 0, false), [Place()], _ => Facts(Wanted, step: UpdateStep.Trial), Runtimes, true, Noon).Places[0].Status);
    }

    [Fact]
    public void Words_from_before_the_offer_are_no_answer_until_the_station_has_had_the_time_to_say_them_again()
    {
        var old = new ReportedUpdate(Wanted, UpdateStep.RolledBack, Noon.AddDays(-3), "no hub");
        var place = Place() with { Status = UpdateStatus.Offered, OfferVersion = 7, Before = CampaignDecisions.MarkOf(old) };
        Assert.Equal(UpdateStatus.Offered, Status(Report(6, TwinOutcome.Applied), TimeSpan.FromHours(1)));
        Assert.Equal(UpdateStatus.Offered, Status(Report(7, TwinOutcome.Trial), TimeSpan.FromHours(1)));
        Assert.Equal(UpdateStatus.Offered, Status(Report(7, TwinOutcome.Applied), TimeSpan.FromSeconds(29)));
        Assert.Equal(UpdateStatus.RolledBack, Status(Report(7, TwinOutcome.Applied), TimeSpan.FromSeconds(30)));
        Assert.Equal(UpdateStatus.RolledBack, Status(Report(7, TwinOutcome.Applied) with { Agent = new ReportedAgent("1.3.0", Runtime, old with { At = Noon }) }, TimeSpan.Zero));

        ReportedState Report(long version, TwinOutcome outcome) => new(version, outcome, version, Noon, null, new ReportedAgent("1.3.0", Runtime, old));

        UpdateStatus Status(ReportedState report, TimeSpan age) =>
            CampaignDecisions.Decide(new(CampaignState.Running, Wanted, 5, 1, 0, false), [place], _ => new StationFacts(true, report, Noon - age), Runtimes, true, Noon).Places[0].Status;
    }

    [Fact]
    public void A_station_away_keeps_its_place_in_the_wave()
    {
        var verdict = CampaignDecisions.Decide(
            new(CampaignState.Running, Wanted, 1, 1, 0, false), [Place() with { Status = UpdateStatus.Offered, OfferVersion = 1 }, Place() with { StationId = 2 }],
            id => Facts("1.3.0", online: id == 2), Runtimes, true, Noon);
        Assert.Equal([UpdateStatus.Offered, UpdateStatus.Pending], verdict.Places.Select(place => place.Status));
        Assert.Empty(verdict.Offers);
    }

    private static CampaignPlace Place() => new(1, UpdateStatus.Pending, Noon);

    private static StationFacts Facts(string version, bool online = true, string runtime = Runtime, UpdateStep? step = null) =>
        new(online, new ReportedState(1, TwinOutcome.Applied, 1, Noon, null, new ReportedAgent(version, runtime, step is { } at ? new ReportedUpdate(Wanted, at, Noon) : null)), Noon);

    /// <summary>A campaign with its stations, its notes on disk and the documents at the broker.</summary>
    private sealed class City
    {
        private readonly List<StationModel> stations = [];
        private readonly int wave;
        private readonly int limit;
        private readonly bool force;
        private CampaignState state = CampaignState.Running;
        private int forgiven;
        private bool settled;
        private CampaignPlace[] places;
        private DateTime now = Noon;

        public City(int wave, int limit, Nature[] natures, bool force)
        {
            (this.wave, this.limit, this.force) = (wave, limit, force);
            stations.AddRange(natures.Select(nature => new StationModel(nature)));
            places = [.. natures.Select((_, i) => new CampaignPlace(i, UpdateStatus.Pending, Noon))];
        }

        private int Failures => places.Count(place => place.IsFailure) - forgiven;

        public void Do(Act act, int station)
        {
            switch (act)
            {
                case Act.Round or Act.RoundThatDiesBeforeTheOffers or Act.RoundThatDiesAfterTheOffers:
                    Round(act);
                    break;
                case Act.Station or Act.StationAgain:
                    stations[station].Step(now);
                    break;
                case Act.ComesOrGoes:
                    stations[station].Online = !stations[station].Online;
                    break;
                case Act.Pause when state == CampaignState.Running:
                    state = CampaignState.Paused;
                    break;
                case Act.Resume when state == CampaignState.Paused:
                    (state, forgiven) = (CampaignState.Running, places.Count(place => place.IsFailure));
                    break;
                case Act.Cancel when state is CampaignState.Running or CampaignState.Paused:
                    state = CampaignState.Cancelled;
                    break;
                case Act.Removed when station == 0:
                    stations[station].Exists = false;
                    break;
            }
        }

        /// <summary>Everybody comes, somebody resumes whenever it pauses: it must end, with every station as its nature is.</summary>
        public void Settle()
        {
            foreach (var station in stations)
            {
                station.Online = true;
            }

            for (var i = 0; i < 400 && !settled; i++)
            {
                Do(Act.Resume, 0);
                Round(Act.Round);
                stations.ForEach(station => station.Step(now));
            }

            Assert.True(settled);
            Assert.All(places, place => Assert.True(place.IsOver));
            for (var i = 0; i < places.Length; i++)
            {
                var (place, station) = (places[i], stations[i]);
                if (state == CampaignState.Finished && station.Exists)
                {
                    Assert.Equal(station.Nature switch { Nature.Good => UpdateStatus.Installed, Nature.RollsBack => UpdateStatus.RolledBack, _ => UpdateStatus.Refused }, place.Status);
                }

                if (place.Status == UpdateStatus.Installed)
                {
                    Assert.Equal(Wanted, station.Runs);
                }
                else if (state == CampaignState.Cancelled && station.Exists)
                {
                    Assert.False(station.Desired.Offered, $"station {i} is still offered the agent, and is {place.Status}");
                }
            }
        }

        private void Round(Act act)
        {
            now += TimeSpan.FromSeconds(31);
            if (settled)
            {
                return;
            }

            var before = places;
            var verdict = CampaignDecisions.Decide(
                new CampaignPlan(state, Wanted, wave, limit, forgiven, force), places, id => stations[id].Exists ? new StationFacts(stations[id].Online, stations[id].Reported, now - TimeSpan.FromMinutes(1)) : null,
                Runtimes, true, now);
            foreach (var id in verdict.Withdrawals.Where(id => stations[id].Exists))
            {
                stations[id].Want(false);
            }

            places = [.. verdict.Places];
            Assert.Equal(before.Select(place => place.StationId), places.Select(place => place.StationId));
            Assert.All(before.Zip(places).Where(pair => pair.First.IsOver), pair => Assert.Equal(pair.First.Status, pair.Second.Status));
            (state, settled) = (verdict.State, verdict.IsSettled);
            foreach (var id in verdict.Offers)
            {
                if (places[id].Status == UpdateStatus.Pending)
                {
                    Assert.Equal(CampaignState.Running, state);
                    Assert.True(Failures < limit, "offered past the limit of failures");
                    Assert.True(stations[id].Online, "offered to one that is away");
                    places[id] = places[id] with { Status = UpdateStatus.Offered, Before = CampaignDecisions.MarkOf(stations[id].Reported.Agent!.Update) };
                }

                if (act == Act.RoundThatDiesBeforeTheOffers)
                {
                    break;
                }

                stations[id].Want(true);
                if (act == Act.RoundThatDiesAfterTheOffers)
                {
                    break;
                }

                places[id] = places[id] with { OfferVersion = stations[id].Desired.Version };
            }

            Assert.True(places.Count(place => place.IsUnderWay) <= wave, "more under way than a wave");
            Assert.True(state == CampaignState.Cancelled || stations.Where((station, i) => station.Exists && station.Desired.Offered && !places[i].IsOver).Count() <= wave, "more offered than a wave");
        }
    }

    /// <summary>An agent as far as a hub sees it.</summary>
    private sealed class StationModel(Nature nature)
    {
        private long acted = 1;
        private bool wants;

        public Nature Nature => nature;

        public bool Online { get; set; } = true;

        public bool Exists { get; set; } = true;

        public string Runs { get; private set; } = "1.3.0";

        public (long Version, bool Offered) Desired { get; private set; } = (1, false);

        public ReportedState Reported { get; private set; } = new(1, TwinOutcome.Applied, 1, Noon, null, new ReportedAgent("1.3.0", Runtime));

        public void Want(bool offered)
        {
            if (Desired.Offered != offered)
            {
                Desired = (Desired.Version + 1, offered);
            }
        }

        public void Step(DateTime now)
        {
            if (!Online)
            {
                return;
            }

            var update = Reported.Agent!.Update;
            if (acted != Desired.Version)
            {
                acted = Desired.Version;
                if (Desired.Offered && nature == Nature.RefusesTheDocument)
                {
                    Reported = Reported with { Version = acted, Outcome = TwinOutcome.Refused, Problems = ["settings.a: no"] };
                    return;
                }

                wants = Desired.Offered;
                Reported = new ReportedState(acted, TwinOutcome.Applied, acted, now, null, new ReportedAgent(Runs, Runtime, !wants && update is { Step: UpdateStep.Downloading or UpdateStep.Ready } ? null : update));
                return;
            }

            var next = (update?.Step, nature) switch
            {
                (null, _) when wants => UpdateStep.Downloading,
                (UpdateStep.Downloading, Nature.Refuses) => UpdateStep.Refused,
                (UpdateStep.Downloading, _) => UpdateStep.Ready,
                (UpdateStep.Ready, _) => UpdateStep.Trial,
                (UpdateStep.Trial, Nature.RollsBack) => UpdateStep.RolledBack,
                (UpdateStep.Trial, _) => UpdateStep.Installed,
                _ => (UpdateStep?)null,
            };
            if (next is { } step)
            {
                Runs = step is UpdateStep.Trial or UpdateStep.Installed ? Wanted : "1.3.0";
                Reported = Reported with { At = now, Agent = new ReportedAgent(Runs, Runtime, new ReportedUpdate(Wanted, step, now)) };
            }
        }
    }
}
