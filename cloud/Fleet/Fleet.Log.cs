using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Fleet;

internal static partial class FleetLog
{
    [LoggerMessage(EventId = 3601, Level = LogLevel.Information, Message = "Station {Municipality}/{Station}: version {Version} is wanted, by {By} ({Change}, undone to {UndoneTo}).")]
    public static partial void VersionWanted(this ILogger logger, string municipality, string station, long version, string by, WantedChange change, long? undoneTo);

    [LoggerMessage(EventId = 3602, Level = LogLevel.Warning, Message = "Station {Municipality}/{Station}: {Count} rules are marked for the edge; it is given the first {Max} by name.")]
    public static partial void RulesLeftOut(this ILogger logger, string municipality, string station, int count, int max);

    [LoggerMessage(EventId = 3603, Level = LogLevel.Error, Message = "Station {Municipality}/{Station}: the rules marked for the edge do not fit beside its settings; it keeps those it has.")]
    public static partial void RulesRefused(this ILogger logger, Exception exception, string municipality, string station);

    [LoggerMessage(EventId = 3604, Level = LogLevel.Error, Message = "Station {Municipality}/{Station}: version {Version} of what is wanted is not published: {Problem}")]
    public static partial void DocumentRefused(this ILogger logger, string municipality, string station, long version, string problem);

    [LoggerMessage(EventId = 3605, Level = LogLevel.Warning, Message = "What station {Municipality}/{Station} said ({Kind}) cannot be read; what it said before stays.")]
    public static partial void Unreadable(this ILogger logger, string kind, string municipality, string station);

    [LoggerMessage(EventId = 3606, Level = LogLevel.Information, Message = "Station {Municipality}/{Station}: command {Name} ({Id}) asked for by {By}.")]
    public static partial void CommandAsked(this ILogger logger, string municipality, string station, string name, long id, string by);

    [LoggerMessage(EventId = 3607, Level = LogLevel.Information, Message = "Station {Municipality}/{Station}: command {Name} ({Id}) answered: {Step}.")]
    public static partial void CommandAnswered(this ILogger logger, string municipality, string station, string name, long id, CommandStep step);

    [LoggerMessage(EventId = 3608, Level = LogLevel.Warning, Message = "Station {Municipality}/{Station} did not take its new secret; the old one is in force again: {Restored}.")]
    public static partial void RotationUndone(this ILogger logger, string municipality, string station, bool restored);

    [LoggerMessage(EventId = 3609, Level = LogLevel.Information, Message = "Station {Municipality}/{Station}: claim code made by {By}, good until {Until:u}.")]
    public static partial void ClaimIssued(this ILogger logger, string municipality, string station, string by, DateTime until);

    [LoggerMessage(EventId = 3610, Level = LogLevel.Information, Message = "Station {Municipality}/{Station}: claim code ended by {By}.")]
    public static partial void ClaimRevoked(this ILogger logger, string municipality, string station, string by);

    [LoggerMessage(EventId = 3611, Level = LogLevel.Information, Message = "Station {Municipality}/{Station} was claimed by '{Claimant}' with a code made by {IssuedBy}; its earlier secrets have ended.")]
    public static partial void Claimed(this ILogger logger, string municipality, string station, string claimant, string issuedBy);

    [LoggerMessage(EventId = 3612, Level = LogLevel.Error, Message = "A station wanted to claim itself, and this hub has no broker that it could reach: set Hub:Mqtt:Tls:Endpoint, or Hub:Public:Mqtt.")]
    public static partial void ClaimWithoutBroker(this ILogger logger);

    [LoggerMessage(EventId = 3613, Level = LogLevel.Information, Message = "Station {Municipality}/{Station} is gone; what was wanted and known of its agent is forgotten.")]
    public static partial void StationForgotten(this ILogger logger, string municipality, string station);

    [LoggerMessage(EventId = 3614, Level = LogLevel.Error, Message = "Looking after the agents failed; it is tried again in a moment.")]
    public static partial void RoundFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3615, Level = LogLevel.Information, Message = "Agent bundle {Version} for {Runtime} ({Sha256}, {Bytes} bytes) published by {By}.")]
    public static partial void BundlePublished(this ILogger logger, string version, string runtime, string sha256, long bytes, string by);

    [LoggerMessage(EventId = 3616, Level = LogLevel.Information, Message = "Agent bundle {Version} for {Runtime} ({Sha256}) deleted: there are newer ones.")]
    public static partial void BundleDeleted(this ILogger logger, string version, string runtime, string sha256);

    [LoggerMessage(EventId = 3617, Level = LogLevel.Information, Message = "Campaign {Id} '{Name}' to agent {Version} is {State}, by {By}: {Reason}")]
    public static partial void CampaignBecame(this ILogger logger, long id, string name, string version, CampaignState state, string by, string reason);

    [LoggerMessage(EventId = 3618, Level = LogLevel.Information, Message = "Campaign {Id}: station {Municipality}/{Station} is {Status}. {Problem}")]
    public static partial void UpdateBecame(this ILogger logger, long id, string municipality, string station, UpdateStatus status, string problem);
}
