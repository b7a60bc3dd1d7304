using System.Globalization;
using System.Security.Cryptography;
using Hub.Cloud.Alerts;
using Hub.Cloud.Series;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Api;

/// <summary>Hears of every commit and every change of alarms, and remembers the newest of each for the listeners of <c>/api/v1/live</c>.</summary>
internal sealed class LiveHub : ISeriesObserver, IDisposable
{
    /// <summary>Datastreams remembered: as many as the largest city planned for has.</summary>
    private const int DatastreamsMax = 200_000;

    /// <summary>Frames kept for listeners that are a little behind; those further behind find changes coalesced.</summary>
    private const int FramesMax = 8;

    /// <summary>Alarms remembered.</summary>
    private const int AlarmsMax = 2_000;

    private readonly ChangeLog<int, Observation> observations = new(DatastreamsMax);
    private readonly ChangeLog<string, Alarm> alarms = new(AlarmsMax);
    private readonly IAlerts alerts;
    private readonly ISeries series;
    private readonly TimeProvider time;
    private readonly ApiInstruments instruments;
    private readonly TimeSpan interval;
    private readonly int listenersMax;
    private readonly Lock start = new();
    private readonly Lock gate = new();
    private readonly LinkedList<LiveFrame> frames = [];
    private (long Observations, long Alarms) edge;
    private long edgeAt;
    private IDisposable? subscription;
    private int listeners;

    public LiveHub(ISeries series, IAlerts alerts, TimeProvider time, IOptions<ApiOptions> options, ApiInstruments instruments)
    {
        this.series = series;
        this.alerts = alerts;
        this.time = time;
        this.instruments = instruments;
        interval = options.Value.LiveInterval;
        listenersMax = options.Value.LiveClientsMax;
    }

    /// <summary>Changes with every start of the hub: event identifiers of an earlier one mean nothing here.</summary>
    private string Epoch { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    public void OnCommitted(SeriesCommit commit)
    {
        var dropped = observations.Note(commit.Observations, static observation => observation.Datastream, time.GetTimestamp(), Judge, out var coalesced);
        instruments.LiveEvicted(dropped);
        instruments.LiveCoalesced(coalesced);
    }

    /// <summary>Lets a listener in, who hears what changes from now on (or since the event it names, if that was of this start of the hub); null when there are too many.</summary>
    public Listener? Enter(string? lastEvent)
    {
        if (Interlocked.Increment(ref listeners) > listenersMax)
        {
            Interlocked.Decrement(ref listeners);
            instruments.ListenerRefused();
            return null;
        }

        instruments.ListenerCame();
        Start();
        var known = (Observations: observations.Version, Alarms: alarms.Version);
        if (lastEvent?.Split('-') is [var epoch, var first, var second] && epoch == Epoch
            && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var o) && o <= known.Observations
            && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var a) && a <= known.Alarms)
        {
            known = (o, a);
        }

        return new Listener(this, known.Observations, known.Alarms);
    }

    public void Dispose()
    {
        subscription?.Dispose();
        alerts.Changed -= OnAlarms;
    }

    /// <summary>
    /// Within one interval a datastream keeps its newest observation by phenomenon time; late ones are let go, for whoever wants all asks the series. After it, whatever was
    /// stored is news.
    /// </summary>
    private Verdict Judge(Observation held, Observation came, long heldSince)
    {
        if (time.GetElapsedTime(heldSince) >= interval * 2)
        {
            return Verdict.Settled;
        }

        return came.PhenomenonTime >= held.PhenomenonTime ? Verdict.Replace : Verdict.Keep;
    }

    private void OnAlarms(IReadOnlyList<Alarm> changed)
    {
        var dropped = alarms.Note([.. changed], static alarm => alarm.Id, time.GetTimestamp(), static (_, _, _) => Verdict.Settled, out _);
        instruments.LiveEvicted(dropped);
    }

    /// <summary>Nothing is listened to before the first listener comes.</summary>
    private void Start()
    {
        lock (start)
        {
            if (subscription is null)
            {
                subscription = series.Subscribe(this);
                alerts.Changed += OnAlarms;
            }
        }
    }

    /// <summary>
    /// What changed up to the latest edge, after where a listener stands. Edges lie at least half an interval apart, and between two of them all listeners share one frame: five hundred viewers cost little more than one.
    /// Who stands between two edges, because it has just come or was slow, gets a frame of its own up to the latest and is with the others from then on.
    /// </summary>
    private (IReadOnlyList<LiveFrame> Frames, (long Observations, long Alarms) At) After((long Observations, long Alarms) known)
    {
        lock (gate)
        {
            if (edgeAt == 0 || time.GetElapsedTime(edgeAt) >= interval / 2)
            {
                edgeAt = time.GetTimestamp();
                var (changed, observed) = observations.After(edge.Observations);
                var (rung, alarmed) = alarms.After(edge.Alarms);
                if (changed.Count + rung.Count > 0)
                {
                    frames.AddLast(new LiveFrame(edge, (observed, alarmed), IdOf((observed, alarmed)), changed, rung));
                    if (frames.Count > FramesMax)
                    {
                        frames.RemoveFirst();
                    }
                }

                edge = (observed, alarmed);
            }

            if (known.Observations >= edge.Observations && known.Alarms >= edge.Alarms)
            {
                return ([], known);
            }

            List<LiveFrame> shared = [];
            for (var node = frames.Last; node is not null && shared.Count <= FramesMax; node = node.Previous)
            {
                shared.Insert(0, node.Value);
                if (node.Value.From == known)
                {
                    return (shared, edge);
                }
            }

            // Changes after the edge are left for the next frame, which holds them as they are at its edge: what changes all the time is in each.
            var own = observations.After(known.Observations, edge.Observations).Values;
            var ownAlarms = alarms.After(known.Alarms, edge.Alarms).Values;
            var at = (Math.Max(known.Observations, edge.Observations), Math.Max(known.Alarms, edge.Alarms));
            return (own.Count + ownAlarms.Count == 0 ? [] : [new LiveFrame(known, at, IdOf(at), own, ownAlarms)], at);
        }
    }

    private string IdOf((long Observations, long Alarms) at) => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{at.Observations}-{at.Alarms}");

    /// <summary>Where one listener stands. One caller.</summary>
    public sealed class Listener(LiveHub hub, long observations, long alarms) : IDisposable
    {
        private (long Observations, long Alarms) at = (observations, alarms);

        /// <summary>What changed since the last call, oldest change first: usually one frame, several for who was slow.</summary>
        public IReadOnlyList<LiveFrame> Take()
        {
            (var changed, at) = hub.After(at);
            return changed;
        }

        public void Dispose()
        {
            Interlocked.Decrement(ref hub.listeners);
            hub.instruments.ListenerLeft();
        }
    }
}
