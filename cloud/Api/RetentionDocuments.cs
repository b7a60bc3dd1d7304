using System.ComponentModel;

namespace Hub.Cloud.Api;

[Description("How long a municipality keeps the observations of a property.")]
internal sealed record RetentionPolicyDocument(
    [property: Description("Observed property; null for all that have no policy of their own.")] string? Property,
    [property: Description("Whole legal days kept besides the current one, 1 to 36525; null to keep for ever.")] int? Days,
    [property: Description("Whole legal days for which rollups are kept, not fewer than days and at most 36525; null or absent: they go with the observations.")] int? RollupDays = null);

[Description("The policies of a municipality, all of them.")]
internal sealed record RetentionPoliciesRequest(IReadOnlyList<RetentionPolicyDocument> Policies);

[Description("The policies to try; those in force when absent.")]
internal sealed record RetentionForecastRequest(IReadOnlyList<RetentionPolicyDocument>? Policies);

[Description("A legal hold: what it covers is not deleted until it is released.")]
internal sealed record RetentionHoldRequest(
    [property: Description("Why: the file number, the court. At most 500 characters.")] string Reason,
    [property: Description("Only this station; all when absent.")] string? Station,
    [property: Description("Only this observed property; all when absent.")] string? Property,
    [property: Description("From this instant; from the beginning when absent.")] DateTimeOffset? From,
    [property: Description("Before this instant; without end when absent.")] DateTimeOffset? To);

[Description("A legal hold.")]
internal sealed record RetentionHoldDocument(
    long Hold,
    string Municipality,
    string? Station,
    string? Property,
    DateTime? From,
    DateTime? To,
    string Reason,
    string SetBy,
    DateTime SetAt,
    [property: Description("Null while it is in force.")] string? ReleasedBy,
    [property: Description("Null while it is in force.")] DateTime? ReleasedAt);

[Description("One deletion that was done.")]
internal sealed record RetentionRunDocument(
    long Run,
    string Property,
    [property: Description("Observations before this instant were deleted, except what a hold covered.")] DateTime Before,
    [property: Description("Datastreams that were looked at.")] int Datastreams,
    [property: Description("Observations deleted.")] long Observations,
    [property: Description("Of these, the observations whose rollups were kept.")] long Condensed,
    [property: Description("Days of datastreams of which only rollups had been kept, and that are gone now.")] long RollupDays,
    [property: Description("Findings of quality control that went with their observations; of condensed ones their flags are in the rollups.")] long Findings,
    DateTime At,
    [property: Description("A person, or schedule.")] string By);

[Description("How long a municipality keeps what, what is held, and what was deleted.")]
internal sealed record RetentionDocument(
    string Municipality,
    IReadOnlyList<RetentionPolicyDocument> Policies,
    [property: Description("Holds, released ones as well.")] IReadOnlyList<RetentionHoldDocument> Holds,
    [property: Description("The newest 100 deletions, newest first.")] IReadOnlyList<RetentionRunDocument> Runs);

[Description("What a run would delete of one property.")]
internal sealed record RetentionForecastDocument(
    string Property,
    [property: Description("The beginning of the first legal day that is kept.")] DateTime Before,
    [property: Description("Datastreams with something to delete.")] int Datastreams,
    [property: Description("Observations that would go.")] long Observations,
    [property: Description("Of these, the observations whose rollups would be kept.")] long Condensed,
    [property: Description("Rollups before this instant would go too; null where they go with the observations.")] DateTime? RollupsBefore,
    [property: Description("Days of datastreams of which only rollups are kept by now, and that would go.")] long RollupDays,
    [property: Description("Observations older than that, kept by a hold.")] long Held);
