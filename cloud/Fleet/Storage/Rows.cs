namespace Hub.Cloud.Fleet.Storage;

/// <summary>One version of what is wanted of a station.</summary>
internal sealed class WantedRow
{
    /// <summary>In order of change over all stations: what a hub has not seen yet is what has a larger one.</summary>
    public long Id { get; set; }

    public int StationId { get; set; }

    public long Version { get; set; }

    /// <summary>JSON object; null for none.</summary>
    public string? Settings { get; set; }

    /// <summary>JSON array.</summary>
    public string Rules { get; set; } = "[]";

    /// <summary>JSON object; null for none.</summary>
    public string? Agent { get; set; }

    public int? TrialSeconds { get; set; }

    public string ChangedBy { get; set; } = "";

    public DateTime ChangedAt { get; set; }

    public WantedChange Change { get; set; }

    public long? UndoneTo { get; set; }
}

/// <summary>What is known of the agent at a station, and under which name its documents were published.</summary>
internal sealed class AgentRow
{
    public int StationId { get; set; }

    public string Municipality { get; set; } = "";

    public string Slug { get; set; } = "";

    /// <summary>The JSON as it came; null when it never did.</summary>
    public string? Status { get; set; }

    public DateTime? StatusAt { get; set; }

    /// <summary>How long it holds, seconds; null for ever.</summary>
    public long? StatusHoldsSeconds { get; set; }

    /// <summary>The sensors of the newest birth as JSON; a last will says nothing of them.</summary>
    public string? Sensors { get; set; }

    public string? Reported { get; set; }

    public DateTime? ReportedAt { get; set; }
}

/// <summary>A command.</summary>
internal sealed class CommandRow
{
    public long Id { get; set; }

    public int StationId { get; set; }

    public string Name { get; set; } = "";

    /// <summary>JSON object; null for none. Never a secret.</summary>
    public string? Arguments { get; set; }

    /// <summary>16 random bytes, hexadecimal.</summary>
    public string Correlation { get; set; } = "";

    public string AskedBy { get; set; } = "";

    public DateTime AskedAt { get; set; }

    public DateTime ExpiresAt { get; set; }

    public CommandStep Step { get; set; }

    public DateTime? SentAt { get; set; }

    public DateTime? AnsweredAt { get; set; }

    public string? Problem { get; set; }

    public string? Result { get; set; }

    /// <summary>A rotation of which it is not known yet which secret the station will use.</summary>
    public bool Unsettled { get; set; }

    /// <summary>Names the secret that a rotation put in force; see IStationSecrets.MarkOf.</summary>
    public string? SecretMark { get; set; }
}

/// <summary>A claim code.</summary>
internal sealed class ClaimRow
{
    public int Id { get; set; }

    public int StationId { get; set; }

    /// <summary>Of the code, hexadecimal; see <see cref="Claims.ClaimCodes"/>.</summary>
    public string CodeHash { get; set; } = "";

    public string? Profile { get; set; }

    public string IssuedBy { get; set; } = "";

    public DateTime IssuedAt { get; set; }

    public DateTime ExpiresAt { get; set; }

    public DateTime? UsedAt { get; set; }

    public string? UsedBy { get; set; }
}

/// <summary>An agent bundle; its file is named for its SHA-256.</summary>
internal sealed class BundleRow
{
    /// <summary>In order of publication.</summary>
    public long Id { get; set; }

    public string Sha256 { get; set; } = "";

    public string Version { get; set; } = "";

    public string Runtime { get; set; } = "";

    public long Bytes { get; set; }

    public bool SignatureChecked { get; set; }

    public string PublishedBy { get; set; } = "";

    public DateTime PublishedAt { get; set; }
}

/// <summary>A campaign.</summary>
internal sealed class CampaignRow
{
    public long Id { get; set; }

    public string Name { get; set; } = "";

    public string Version { get; set; } = "";

    /// <summary>Null for one over municipalities.</summary>
    public string? Municipality { get; set; }

    public int WaveSize { get; set; }

    public int FailureLimit { get; set; }

    /// <summary>Failures there were when somebody resumed it last.</summary>
    public int FailuresForgiven { get; set; }

    public bool Force { get; set; }

    public CampaignState State { get; set; }

    public string? Reason { get; set; }

    public string StartedBy { get; set; } = "";

    public DateTime StartedAt { get; set; }

    public string ChangedBy { get; set; } = "";

    public DateTime ChangedAt { get; set; }

    /// <summary>Nothing is left to do: what the keeper need not look at.</summary>
    public bool Settled { get; set; }
}

/// <summary>A station in a campaign.</summary>
internal sealed class CampaignPlaceRow
{
    public long CampaignId { get; set; }

    public int StationId { get; set; }

    public string Municipality { get; set; } = "";

    public string Slug { get; set; } = "";

    public UpdateStatus Status { get; set; }

    public DateTime At { get; set; }

    public string? Problem { get; set; }

    /// <summary>Version of what is wanted with which it was offered; null before, and after it was taken back.</summary>
    public long? OfferVersion { get; set; }

    /// <summary>Names the update it spoke of when it was offered; null for none.</summary>
    public string? Before { get; set; }
}

/// <summary>What happened to a campaign.</summary>
internal sealed class CampaignEventRow
{
    public long Id { get; set; }

    public long CampaignId { get; set; }

    public DateTime At { get; set; }

    public string By { get; set; } = "";

    public CampaignState State { get; set; }

    public string? Reason { get; set; }
}
