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

    /// <summary>More buckets than one answer may have.</summary>
    public static ProblemKind RangeTooLarge { get; } = new("range-too-large", 400, "The range is too large", "Ask for a shorter range or for wider buckets.", Nothing);

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

    /// <summary>No such quarantined record, or one of another municipality.</summary>
    public static ProblemKind UnknownQuarantined { get; } = new("unknown-quarantined-record", 404, "There is no such quarantined record", "It was released, discarded or evicted, or belongs to another municipality.", Nothing);

    /// <summary>Too many sign-ins at once.</summary>
    public static ProblemKind Busy { get; } = new("busy", 429, "Too many attempts at once", "Try again in a few seconds.", "Somebody may be guessing passwords: see hub.municipalities.sign_ins.");

    /// <summary>The time series cannot be reached.</summary>
    public static ProblemKind SeriesUnavailable { get; } = new("series-unavailable", 503, "Observations cannot be reached now", "Try again later; nothing is lost.", "The store is full or away; the hub's log says which.");

    /// <summary>Too many listeners.</summary>
    public static ProblemKind TooManyListeners { get; } = new("too-many-listeners", 503, "Too many listeners", "Try again later, or ask for /api/v1/observations/latest instead.", "Raise Hub:Api:LiveClientsMax if the machine can bear it.");

    /// <summary>All of them, in order of status.</summary>
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        BadParameter, UnknownParameter, BadTime, RangeTooLarge, BadBody, SignInNeeded, WrongCredentials, NotAllowed, UnknownAddress, UnknownMunicipality,
        UnknownStation, UnknownDatastream, UnknownQuarantined, Busy, SeriesUnavailable, TooManyListeners,
    ];
}

/// <summary>Ends a request with a problem; thrown before anything of the answer was sent, caught by <see cref="ApiGate"/>.</summary>
internal sealed class ProblemException(ProblemKind kind, string detail, string? parameter = null) : Exception(detail)
{
    public ProblemKind Kind { get; } = kind;

    public string? Parameter { get; } = parameter;
}
