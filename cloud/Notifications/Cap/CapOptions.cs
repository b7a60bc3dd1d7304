namespace Hub.Cloud.Notifications.Cap;

/// <summary>Whether an alert is to be acted on (CAP 1.2, <c>status</c>).</summary>
public enum CapStatus
{
    /// <summary>By everybody it concerns.</summary>
    Actual,

    /// <summary>By those who take part in an exercise.</summary>
    Exercise,

    /// <summary>By nobody: a test of the technique.</summary>
    Test,
}

/// <summary>Settings of the public alerts, under <c>Hub:Notifications:Cap</c>.</summary>
public sealed class CapOptions
{
    /// <summary>Whether what is told about alarms of public stations is published as CAP alerts. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Status of every alert; default <c>Actual</c>. A hub that is tried out says <c>Test</c> or <c>Exercise</c>.</summary>
    public CapStatus Status { get; set; } = CapStatus.Actual;

    /// <summary>Who sends, unique in the world: without spaces, commas, &lt; and &amp;, at most 200 characters. Empty (default): the host of <c>Hub:PublicUrl</c>.</summary>
    public string Sender { get; set; } = "";

    /// <summary>Radius of the circle around the station that an alert is for, metres. 0 to 50,000; default 250.</summary>
    public int RadiusMetres { get; set; } = 250;

    /// <summary>How long an alert stands that says of something that it is over or never was. 1 hour to 30 days; default 24 hours. What goes on has no expiry: its end is told.</summary>
    public TimeSpan ExpiresAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>What is wrong: the setting below this section, and why.</summary>
    internal IEnumerable<(string Setting, string Reason)> Faults()
    {
        if (!Enum.IsDefined(Status))
        {
            yield return (nameof(Status), "must be Actual, Exercise or Test");
        }

        if (Sender.Length > 200 || Sender.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is ',' or '<' or '&'))
        {
            yield return (nameof(Sender), "must be at most 200 characters without spaces, commas, < and &, such as alarmes@cidade.example");
        }

        if (RadiusMetres is < 0 or > 50_000)
        {
            yield return (nameof(RadiusMetres), "must be 0 to 50000 metres");
        }

        if (ExpiresAfter < TimeSpan.FromHours(1) || ExpiresAfter > TimeSpan.FromDays(30))
        {
            yield return (nameof(ExpiresAfter), "must be 1 hour to 30 days");
        }
    }
}
