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

    /// <summary>Where one listener stands. One caller.</summary>
    public sealed class Listener(LiveHub hub, long observations, long alarms) : IDisposable
    {
        private long observations = observations;
        private long alarms = alarms;

        /// <summary>Identifier of the last event taken, for a listener that comes back.</summary>
        public string EventId => string.Create(CultureInfo.InvariantCulture, $"{hub.Epoch}-{observations}-{alarms}");

        /// <summary>Everything that changed since the last call, oldest change first.</summary>
        public (List<Observation> Observations, List<Alarm> Alarms) Take()
        {
            (var changed, observations) = hub.observations.After(observations);
            (var rung, alarms) = hub.alarms.After(alarms);
            return (changed, rung);
        }

        public void Dispose()
        {
            Interlocked.Decrement(ref hub.listeners);
            hub.instruments.ListenerLeft();
        }
    }
}
