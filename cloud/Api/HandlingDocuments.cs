using System.ComponentModel;

namespace Hub.Cloud.Api;

[Description("One line of the history of an alarm.")]
internal sealed record AlarmEventDocument(
    [property: Description("found, ended, changed, withdrawn, restored, told, acknowledged, commented, assigned, shelved, unshelved, out-of-service or returned.")] string Kind,
    [property: Description("observation, late-data, rule-changed, rule-removed, person, mail-link or time-over.")] string Cause,
    [property: Description("When it happened, UTC.")] DateTime EventAt,
    [property: Description("When the hub knew or did it, UTC.")] DateTime ProcessedAt,
    [property: Description("The person; null for none, and for whoever is not of the municipality.")] string? By,
    [property: Description("What the person said; null for nothing, and for whoever is not of the municipality.")] string? Comment,
    [property: Description("Of a shelving: its end, UTC.")] DateTime? Until,
    [property: Description("Of an assignment: to whom; null for nobody.")] string? AssignedTo,
    [property: Description("Of a message to subscribers: started, ended, past or corrected.")] string? Told,
    [property: Description("Of out of service and back: whether the whole station is meant.")] bool WholeStation);

[Description("An alarm with all that happened to it.")]
internal sealed record AlarmDetailsDocument(
    AlarmDocument Alarm,
    [property: Description("The alarm that goes on in its place since late data moved its start; null when there is none.")] string? GoesOnAs,
    [property: Description("In order of processing. Comments and assignments are for people of the municipality.")] IReadOnlyList<AlarmEventDocument> Events);

[Description("Something of which nothing new is told to subscribers, though it is evaluated as ever.")]
internal sealed record SuppressionDocument(
    [property: Description("shelved or out-of-service.")] string Kind,
    string Municipality,
    string Station,
    [property: Description("null for every rule at the station.")] string? Rule,
    [property: Description("UTC.")] DateTime Since,
    [property: Description("When it ends by itself, UTC; null when somebody has to end it.")] DateTime? Until,
    string By,
    string? Comment);

[Description("What is said beside an act.")]
internal sealed record HandlingRequest([property: Description("Up to 1000 characters.")] string? Comment = null);

[Description("A comment.")]
internal sealed record CommentRequest([property: Description("1 to 1000 characters.")] string Comment);

[Description("Until when to shelve: one of until and for.")]
internal sealed record ShelveRequest(
    [property: Description("ISO 8601 with Z or an offset.")] string? Until = null,
    [property: Description("ISO 8601, as PT2H, or 30m, 2h, 1d.")] string? For = null,
    [property: Description("Up to 1000 characters.")] string? Comment = null);

[Description("Who looks after an alarm.")]
internal sealed record AssignRequest(
    [property: Description("User name of an operator of the municipality; null for nobody.")] string? Person,
    [property: Description("Up to 1000 characters.")] string? Comment = null);

[Description("What is taken out of service, or returned.")]
internal sealed record ServiceRequest(
    [property: Description("Only this rule at the station; the whole station when absent.")] string? Rule = null,
    [property: Description("Up to 1000 characters.")] string? Comment = null);
