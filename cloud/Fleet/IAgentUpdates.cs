using Hub.Cloud.Stations;

namespace Hub.Cloud.Fleet;

/// <summary>An agent bundle that the hub holds for its stations. Immutable.</summary>
/// <param name="Sha256">Of the file, 64 lower-case hexadecimal digits.</param>
/// <param name="Version">Version of the agent in it.</param>
/// <param name="Runtime">Machines it is for, e.g. <c>linux-arm64</c>.</param>
/// <param name="Bytes">Size of the file, bytes.</param>
/// <param name="SignatureChecked">Whether a key of <c>Hub:Fleet:UpdateKeys</c> has signed it; false where none is set.</param>
/// <param name="PublishedBy">User name.</param>
/// <param name="PublishedAt">UTC.</param>
public sealed record StoredBundle(string Sha256, string Version, string Runtime, long Bytes, bool SignatureChecked, string PublishedBy, DateTime PublishedAt);

/// <summary>How a campaign stands. Stored: never renumber.</summary>
public enum CampaignState
{
    /// <summary>It offers the agent to one wave of stations after the other.</summary>
    Running = 1,

    /// <summary>Somebody, or too many failures, stopped it: nothing new is offered; what was offered goes on.</summary>
    Paused = 2,

    /// <summary>Every station has come to its end.</summary>
    Finished = 3,

    /// <summary>Somebody ended it: nothing is offered any more.</summary>
    Cancelled = 4,
}

/// <summary>How far a station of a campaign has come. Stored: never renumber.</summary>
public enum UpdateStatus
{
    /// <summary>Not offered yet; the problem says what it waits for, if not for its turn.</summary>
    Pending = 1,

    /// <summary>Offered; the station has not said anything of it.</summary>
    Offered = 2,

    /// <summary>It fetches the bundle.</summary>
    Downloading = 3,

    /// <summary>Fetched and checked; the switch comes next.</summary>
    Ready = 4,

    /// <summary>The new agent runs and is on trial.</summary>
    Trial = 5,

    /// <summary>The new agent stays. An end.</summary>
    Installed = 6,

    /// <summary>The station did not take it; the old agent runs on. An end, and a failure.</summary>
    Refused = 7,

    /// <summary>The new agent failed its trial; the old one runs again. An end, and a failure.</summary>
    RolledBack = 8,

    /// <summary>Not installed, and not offered any more: the campaign was cancelled, or the station is gone. An end.</summary>
    Withdrawn = 9,
}

/// <summary>A campaign to be started.</summary>
/// <param name="Name">For people, 1 to 100 characters.</param>
/// <param name="Version">Version of the agent.</param>
/// <param name="Municipality">Municipality whose stations it is for; null for all of the hub.</param>
/// <param name="Stations">The stations, 1 or more, each of that municipality if one is given; null for all there are now.</param>
/// <param name="WaveSize">Stations under way at the same time, 1 to 1,000.</param>
/// <param name="FailureLimit">It pauses when so many stations have refused or gone back, 1 to 1,000.</param>
/// <param name="Force">Whether a version not newer than the one that runs is installed as well.</param>
public sealed record CampaignRequest(
    string Name, string Version, string? Municipality, IReadOnlyList<Station>? Stations = null, int WaveSize = CampaignRequest.WaveSizeDefault, int FailureLimit = CampaignRequest.FailureLimitDefault, bool Force = false)
{
    /// <summary>Stations under way at the same time where nothing else is said.</summary>
    public const int WaveSizeDefault = 5;

    /// <summary>Failures at which a campaign pauses where nothing else is said.</summary>
    public const int FailureLimitDefault = 1;
}

/// <summary>A campaign. Immutable.</summary>
/// <param name="Id">Identifier, 1 or more.</param>
/// <param name="Name">For people.</param>
/// <param name="Version">Version of the agent.</param>
/// <param name="Municipality">Municipality; null for one over municipalities.</param>
/// <param name="WaveSize">Stations under way at the same time.</param>
/// <param name="FailureLimit">Failures, since it was started or resumed, at which it pauses.</param>
/// <param name="Force">Whether a version not newer than the one that runs is installed as well.</param>
/// <param name="State">How it stands.</param>
/// <param name="Reason">Why it is paused, one line in English; null where nothing is to be said.</param>
/// <param name="StartedBy">User name.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="ChangedBy">Who changed its state last; <c>hub</c> for itself.</param>
/// <param name="ChangedAt">UTC.</param>
/// <param name="Counts">Stations by status; statuses without stations are missing.</param>
public sealed record Campaign(
    long Id, string Name, string Version, string? Municipality, int WaveSize, int FailureLimit, bool Force, CampaignState State, string? Reason, string StartedBy, DateTime StartedAt, string ChangedBy,
    DateTime ChangedAt, IReadOnlyDictionary<UpdateStatus, int> Counts)
{
    /// <summary>Its stations.</summary>
    public int Stations => Counts.Values.Sum();

    /// <summary>Stations that have come to an end, good or bad.</summary>
    public int Ended => Counts.Where(count => count.Key >= UpdateStatus.Installed).Sum(count => count.Value);
}

/// <summary>A station of a campaign. Immutable.</summary>
/// <param name="StationId">Identifier.</param>
/// <param name="Municipality">Its municipality.</param>
/// <param name="Station">Its slug.</param>
/// <param name="Status">How far it has come.</param>
/// <param name="At">When the hub learnt of that, UTC.</param>
/// <param name="Problem">Why it did not come further, or what it waits for, one line in English; null while it goes well.</param>
public sealed record CampaignStation(int StationId, string Municipality, string Station, UpdateStatus Status, DateTime At, string? Problem);

/// <summary>One change of a campaign's state. Immutable.</summary>
/// <param name="At">UTC.</param>
/// <param name="By">User name; <c>hub</c> for itself.</param>
/// <param name="State">What it became.</param>
/// <param name="Reason">Why; null where nothing is to be said.</param>
public sealed record CampaignEvent(DateTime At, string By, CampaignState State, string? Reason);

/// <summary>
/// Brings new agents to stations: holds signed bundles and offers them in campaigns, a wave of stations after the other. Callers have checked that whoever asks may. Changes are durable when the
/// task completes; a running hub carries them on within moments, also those of another process on the same database. Safe for concurrent callers.
/// </summary>
public interface IAgentUpdates
{
    /// <summary>Takes a bundle in. One that is there already is not stored again.</summary>
    /// <param name="content">The file, at most 256 MiB; read once to its end.</param>
    /// <param name="by">Who publishes it.</param>
    /// <param name="cancellationToken">Ends it; nothing is left behind.</param>
    /// <exception cref="BundleRefusedException">It is no good bundle, of no key of the hub, or there is no room among those in use.</exception>
    /// <exception cref="IOException">The disk refused; nothing was taken.</exception>
    ValueTask<StoredBundle> PublishAsync(Stream content, string by, CancellationToken cancellationToken);

    /// <summary>All bundles, the newest first.</summary>
    ValueTask<IReadOnlyList<StoredBundle>> BundlesAsync(CancellationToken cancellationToken);

    /// <summary>Starts a campaign over the stations there are now.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    /// <exception cref="CampaignRefusedException">There is no bundle of the version, no station, or a station is in another campaign under way.</exception>
    ValueTask<Campaign> StartAsync(CampaignRequest request, string by, CancellationToken cancellationToken);

    /// <summary>Campaigns, the newest first.</summary>
    /// <param name="municipality">Only those of this municipality alone; null for all.</param>
    /// <param name="countMax">Most of them.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<Campaign>> CampaignsAsync(string? municipality, int countMax, CancellationToken cancellationToken);

    /// <summary>A campaign; null when there is none (any more).</summary>
    ValueTask<Campaign?> FindAsync(long id, CancellationToken cancellationToken);

    /// <summary>The stations of a campaign, in order of municipality and slug.</summary>
    ValueTask<IReadOnlyList<CampaignStation>> StationsAsync(long id, CancellationToken cancellationToken);

    /// <summary>What happened to a campaign, oldest first.</summary>
    ValueTask<IReadOnlyList<CampaignEvent>> EventsAsync(long id, CancellationToken cancellationToken);

    /// <summary>Offers nothing new until it is resumed; what was offered goes on.</summary>
    /// <exception cref="CampaignRefusedException">It is not running.</exception>
    /// <exception cref="KeyNotFoundException">There is no such campaign.</exception>
    ValueTask<Campaign> PauseAsync(long id, string by, CancellationToken cancellationToken);

    /// <summary>Goes on; failures are counted anew.</summary>
    /// <exception cref="CampaignRefusedException">It is not paused.</exception>
    /// <exception cref="KeyNotFoundException">There is no such campaign.</exception>
    ValueTask<Campaign> ResumeAsync(long id, string by, CancellationToken cancellationToken);

    /// <summary>Ends it: the offer is taken back from every station that has not installed it. An agent already on trial decides its trial by itself.</summary>
    /// <exception cref="CampaignRefusedException">It has ended already.</exception>
    /// <exception cref="KeyNotFoundException">There is no such campaign.</exception>
    ValueTask<Campaign> CancelAsync(long id, string by, CancellationToken cancellationToken);
}

/// <summary>A bundle is not taken; the message says why.</summary>
public sealed class BundleRefusedException(string message) : Exception(message);

/// <summary>A campaign cannot be started, or not be brought into that state, as things are; the message says why.</summary>
public sealed class CampaignRefusedException(string message) : Exception(message);
