using System.ComponentModel;

namespace Hub.Cloud.Api;

[Description("An agent bundle that the hub holds for its stations.")]
internal sealed record BundleDocument(
    [property: Description("SHA-256 of the file, 64 hexadecimal digits.")] string Sha256,
    [property: Description("Version of the agent in it.")] string Version,
    [property: Description("Machines it is for, e.g. linux-arm64.")] string Runtime,
    [property: Description("Size of the file, bytes.")] long Bytes,
    [property: Description("Whether the hub has checked its signature; stations always do.")] bool SignatureChecked,
    string PublishedBy,
    DateTime PublishedAt);

[Description("A campaign to be started.")]
internal sealed record CampaignStart(
    [property: Description("For people, 1 to 100 characters.")] string? Name,
    [property: Description("Version of the agent; a bundle of it must have been published.")] string? Version,
    [property: Description("Municipality whose stations it is for; needed but for administrators.")] string? Municipality,
    [property: Description("Identifiers of stations, or municipality/station; all there are now when absent.")] IReadOnlyList<string>? Stations,
    [property: Description("Stations under way at the same time, 1 to 1000; 5 when absent.")] int? WaveSize,
    [property: Description("It pauses when so many stations have refused it or gone back, 1 to 1000; 1 when absent.")] int? FailureLimit,
    [property: Description("True to install a version that is not newer than the one that runs.")] bool? Force);

[Description("A campaign that brings an agent to stations.")]
internal sealed record CampaignDocument(
    long Campaign,
    string Name,
    string Version,
    [property: Description("Null for one over municipalities.")] string? Municipality,
    int WaveSize,
    int FailureLimit,
    bool Force,
    [property: Description("running, paused, finished or cancelled.")] string State,
    [property: Description("Why it is paused, where it paused by itself.")] string? Reason,
    string StartedBy,
    DateTime StartedAt,
    [property: Description("Who changed its state last; hub for itself.")] string ChangedBy,
    DateTime ChangedAt,
    [property: Description("How many stations it is for.")] int Stations,
    [property: Description("How many of them have come to an end, good or bad.")] int Ended,
    [property: Description("Stations by status.")] IReadOnlyDictionary<string, int> Counts);

[Description("A station of a campaign.")]
internal sealed record CampaignStationDocument(
    string Municipality,
    string Station,
    [property: Description("pending, offered, downloading, ready, trial, installed, refused, rolled-back or withdrawn.")] string Status,
    [property: Description("When the hub learnt of that, UTC.")] DateTime At,
    [property: Description("Why it did not come further, or what it waits for.")] string? Problem);

[Description("A change of a campaign's state.")]
internal sealed record CampaignEventDocument(DateTime At, string By, string State, string? Reason);

[Description("A campaign with its stations.")]
internal sealed record CampaignDetailDocument(
    CampaignDocument Campaign,
    [property: Description("In order of municipality and station.")] IReadOnlyList<CampaignStationDocument> Stations,
    [property: Description("Oldest first.")] IReadOnlyList<CampaignEventDocument> Events);
