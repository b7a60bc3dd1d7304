using Hub.Cloud.Municipalities;

namespace Hub.Cloud.Api;

/// <summary>One kind of problem the API answers with. Codes are stable: programs decide by them.</summary>
/// <param name="Code">Stable code, also the end of the problem's <c>type</c>.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">Short name, the same for every occurrence.</param>
/// <param name="Caller">What it means for whoever called, and what to do.</param>
/// <param name="Operator">What it means for whoever runs the hub.</param>
public sealed record ProblemKind(string Code, int Status, string Title, string Caller, string Operator);

/// <summary>Every problem the API can answer with: the one place where a status gets its meaning.</summary>
public static class Problems
{
    private const string Nothing = "Nothing to do.";

    /// <summary>A parameter cannot be read or is out of range.</summary>
    public static ProblemKind BadParameter { get; } = new("bad-parameter", 400, "A parameter is wrong", "The detail says which parameter, and what is expected.", Nothing);

    /// <summary>A parameter that the address does not have, or one given twice.</summary>
    public static ProblemKind UnknownParameter { get; } = new("unknown-parameter", 400, "There is no such parameter", "A misspelt parameter would silently change what the answer means; the detail lists those that exist.", Nothing);

    /// <summary>An instant cannot be read, or a range is empty.</summary>
    public static ProblemKind BadTime { get; } = new("bad-time", 400, "A time is wrong", "Times are ISO 8601 with Z or an offset, as 2026-03-01T12:00:00Z; from must be before to.", Nothing);

    /// <summary>More buckets than one answer may have, or more observations than one question may read.</summary>
    public static ProblemKind RangeTooLarge { get; } = new(
        "range-too-large", 400, "The range is too large", "Ask for a shorter range or for wider buckets, or page through the observations as they are stored.",
        "Hub:Api:QueryRowsMax says how many observations one question may read; a cell of a rollup counts as five.");

    /// <summary>The body cannot be read.</summary>
    public static ProblemKind BadBody { get; } = new("bad-body", 400, "The body cannot be read", "The detail says what is expected.", Nothing);

    /// <summary>Somebody must be signed in, or the token has ended.</summary>
    public static ProblemKind SignInNeeded { get; } = new(MunicipalitiesExtensions.SignInNeeded, 401, "Nobody is signed in", "Get a token at POST /api/v1/sessions; one that was sent has ended or is not ours.", Nothing);

    /// <summary>User name and password do not open anything.</summary>
    public static ProblemKind WrongCredentials { get; } = new("wrong-credentials", 401, "User name or password is wrong", "After several wrong passwords a person is locked out for some minutes, even with the right one.", "Many of these are somebody guessing: see hub.municipalities.sign_ins and hub.municipalities.lock_outs.");

    /// <summary>The caller may not do this.</summary>
    public static ProblemKind NotAllowed { get; } = new(MunicipalitiesExtensions.NotAllowed, 403, "Not allowed", "The person signed in does not hold the role this needs.", "Give the person the role if they should have it.");

    /// <summary>No such address.</summary>
    public static ProblemKind UnknownAddress { get; } = new("unknown-address", 404, "There is nothing at this address", "The addresses are described at /docs.", Nothing);

    /// <summary>No such municipality.</summary>
    public static ProblemKind UnknownMunicipality { get; } = new("unknown-municipality", 404, "There is no such municipality", "GET /api/v1/municipalities lists them.", Nothing);

    /// <summary>No such station, or a private one.</summary>
    public static ProblemKind UnknownStation { get; } = new("unknown-station", 404, "There is no such station", "It does not exist, or it is not public: sign in to see private stations of your municipality.", Nothing);

    /// <summary>No such datastream, or a private one.</summary>
    public static ProblemKind UnknownDatastream { get; } = new("unknown-datastream", 404, "There is no such datastream", "It does not exist, or its station is not public: sign in to see private stations of your municipality.", Nothing);

    /// <summary>No such alarm, or one of a private station.</summary>
    public static ProblemKind UnknownAlarm { get; } = new("unknown-alarm", 404, "There is no such alarm", "GET /api/v1/alarms lists those you may see.", Nothing);

    /// <summary>What somebody wants to do with an alarm makes no sense.</summary>
    public static ProblemKind HandlingRefused { get; } = new(
        "handling-refused", 409, "That makes no sense as the alarm stands", "The detail says why: it was withdrawn, it was over when it became known, or a shelving would have no end or last too long.",
        "Hub:Alerts:ShelveMax is the longest a shelving may last.");

    /// <summary>A rule that is not there, or not for the caller.</summary>
    public static ProblemKind UnknownRule { get; } = new("unknown-rule", 404, "There is no such rule", "GET /api/v1/rules lists those you may see.", Nothing);

    /// <summary>No such legal hold, or one that is released.</summary>
    public static ProblemKind UnknownHold { get; } = new("unknown-hold", 404, "There is no such hold", "It never was, or somebody has released it: GET .../retention lists those in force.", Nothing);

    /// <summary>No such CAP alert, or one of a station that is private now.</summary>
    public static ProblemKind UnknownAlert { get; } = new("unknown-alert", 404, "There is no such alert", "It never was, is so old that it has been forgotten, or its station is not public any more: the feed lists those there are.", "Hub:Notifications:LogKeep says how long alerts are kept.");

    /// <summary>A municipality without a duty roster.</summary>
    public static ProblemKind NoDuty { get; } = new("no-duty-roster", 404, "There is no duty roster", "All subscribers are told at once: PUT /api/v1/duty/{municipality} makes a roster.", Nothing);

    /// <summary>No such subscriber, or one of another municipality.</summary>
    public static ProblemKind UnknownSubscriber { get; } = new("unknown-subscriber", 404, "There is no such subscriber", "It was removed, belongs to another municipality, or is somebody who signed up: GET /api/v1/subscribers lists those you may see.", Nothing);

    /// <summary>No such delivery, or one of another municipality.</summary>
    public static ProblemKind UnknownDelivery { get; } = new("unknown-delivery", 404, "There is no such delivery", "It never was, is so old that it has been forgotten, or belongs to another municipality.", "Hub:Notifications:LogKeep says how long the log is kept.");

    /// <summary>A delivery cannot be sent again as things are.</summary>
    public static ProblemKind DeliveryRefused { get; } = new("delivery-refused", 409, "It cannot be sent again", "The detail says why: it is not dead, there is nobody to send it to, or it would undo later news.", Nothing);

    /// <summary>No such quarantined record, or one of another municipality.</summary>
    public static ProblemKind UnknownQuarantined { get; } = new("unknown-quarantined-record", 404, "There is no such quarantined record", "It was released, discarded or evicted, or belongs to another municipality.", Nothing);

    /// <summary>No such version of what is wanted of a station.</summary>
    public static ProblemKind UnknownVersion { get; } = new("unknown-version", 404, "There is no such version", "It never was, or is so old that it has been forgotten: GET .../agent/settings/versions lists those there are.", "Hub:Fleet:HistoryMax says how many are kept.");

    /// <summary>No such command.</summary>
    public static ProblemKind UnknownCommand { get; } = new("unknown-command", 404, "There is no such command", "The detail names those there are; of commands that were sent, a station's last 20 are kept.", Nothing);

    /// <summary>No such campaign, or one of others.</summary>
    public static ProblemKind UnknownCampaign { get; } = new("unknown-campaign", 404, "There is no such campaign", "It never was, is so old that it has been forgotten, or belongs to another municipality.", "The last 200 that have ended are kept.");

    /// <summary>A campaign cannot be started or changed as things are.</summary>
    public static ProblemKind CampaignRefused { get; } = new("campaign-refused", 409, "The campaign cannot be that now", "The detail says why: no bundle of the version, a station in another campaign, or a state from which it cannot come.", Nothing);

    /// <summary>A bundle is not taken.</summary>
    public static ProblemKind BundleRefused { get; } = new("bundle-refused", 422, "The bundle is not taken", "The detail says what a station would find wrong with it. Make it with hub agent pack.", "Hub:Fleet:UpdateKeys names whose signature is asked for, Hub:Fleet:BundlesMax how many bundles are kept.");

    /// <summary>A file cannot be written.</summary>
    public static ProblemKind DiskUnavailable { get; } = new("disk-unavailable", 503, "The hub cannot write now", "Try again later; nothing was taken.", "The disk of Hub:Data is full or cannot be written.");

    /// <summary>The station is not connected.</summary>
    public static ProblemKind StationAway { get; } = new("station-away", 409, "The station is not there", "Nothing was sent. Try again when GET .../agent says online.", "Its power, its link, or its agent: the last status says when it left and why.");

    /// <summary>Somebody else's change would be lost.</summary>
    public static ProblemKind ChangedMeanwhile { get; } = new("changed-meanwhile", 412, "It has changed meanwhile", "Read what is wanted now, and decide again.", Nothing);

    /// <summary>The settings cannot be.</summary>
    public static ProblemKind SettingsRefused { get; } = new("settings-refused", 422, "The settings cannot be", "The detail names each key and what is wrong with it.", Nothing);

    /// <summary>A change needs the version it is about.</summary>
    public static ProblemKind PreconditionNeeded { get; } = new("precondition-needed", 428, "Say which version you have seen", "Send If-Match with the ETag of GET.", Nothing);

    /// <summary>Too many commands at once.</summary>
    public static ProblemKind TooManyCommands { get; } = new("too-many-commands", 429, "Too many commands under way", "Wait for the answers, or until those under way expire.", "Hub:Fleet:CommandsPerStationMax and Hub:Fleet:CommandsMax are the limits.");

    /// <summary>No answer to a command.</summary>
    public static ProblemKind NoAnswer { get; } = new("no-answer", 504, "The station did not answer", "It may have done it or not. It will not do it later.", "A link that has just broken, or an agent that hangs: see its status.");

    /// <summary>Too many sign-ins at once.</summary>
    public static ProblemKind Busy { get; } = new("busy", 429, "Too many attempts at once", "Try again in a few seconds.", "Somebody may be guessing passwords: see hub.municipalities.sign_ins.");

    /// <summary>The time series cannot be reached.</summary>
    public static ProblemKind SeriesUnavailable { get; } = new("series-unavailable", 503, "Observations cannot be reached now", "Try again later; nothing is lost.", "The store is full or away; the hub's log says which.");

    /// <summary>Too many large questions at once.</summary>
    public static ProblemKind TooManyQueries { get; } = new(
        "too-many-queries", 503, "Too many large questions at once", "Try again after the seconds in Retry-After, or ask for a shorter range.",
        "Somebody asks for a lot again and again; Hub:Api:QueriesMax says how many are answered at once.");

    /// <summary>A question took too long.</summary>
    public static ProblemKind QueryTimeout { get; } = new(
        "query-timeout", 504, "The question took too long", "Nothing was sent. Ask for a shorter range; the same again takes as long.", "Hub:Api:QueryTimeout is the limit; a store or a disk that has become slow shows in its own metrics.");

    /// <summary>Too many listeners.</summary>
    public static ProblemKind TooManyListeners { get; } = new("too-many-listeners", 503, "Too many listeners", "Try again later, or ask for /api/v1/observations/latest instead.", "Raise Hub:Api:LiveClientsMax if the machine can bear it.");

    /// <summary>All of them, in order of status.</summary>
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        BadParameter, UnknownParameter, BadTime, RangeTooLarge, BadBody, SignInNeeded, WrongCredentials, NotAllowed, UnknownAddress, UnknownMunicipality,
        UnknownStation, UnknownDatastream, UnknownAlarm, UnknownRule, UnknownAlert, NoDuty, UnknownSubscriber, UnknownDelivery, UnknownHold, UnknownQuarantined, UnknownVersion, UnknownCommand, UnknownCampaign, StationAway,
        HandlingRefused, CampaignRefused, DeliveryRefused, ChangedMeanwhile, SettingsRefused, BundleRefused, PreconditionNeeded,
        Busy, TooManyCommands, SeriesUnavailable, TooManyQueries, TooManyListeners, DiskUnavailable, NoAnswer, QueryTimeout,
    ];
}

/// <summary>Ends a request with a problem; thrown before anything of the answer was sent, caught by <see cref="ApiGate"/>.</summary>
internal sealed class ProblemException(ProblemKind kind, string detail, string? parameter = null) : Exception(detail)
{
    /// <summary>When to try again; null when trying again is not the way.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public ProblemKind Kind { get; } = kind;

    public string? Parameter { get; } = parameter;
}
