using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Portal.Read;

/// <summary>Which alarms a page shows, as its address says it, so that it can be passed on. Words are those of the API.</summary>
internal sealed record AlarmFilter
{
    /// <summary>Word for what is shelved, out of service or suppressed by another alarm, whatever its state.</summary>
    public const string Silent = "silent";

    /// <summary>States that can be chosen, in the order they are offered.</summary>
    public static readonly IReadOnlyList<string> States = ["active-unacknowledged", "active-acknowledged", "returned-unacknowledged", "normal", Silent];

    /// <summary>One of <see cref="States"/>; null for all.</summary>
    public string? State { get; init; }

    /// <summary>Null for all.</summary>
    public Severity? Severity { get; init; }

    /// <summary><c>municipality/station</c>; null for all.</summary>
    public string? Station { get; init; }

    /// <summary><c>municipality/rule</c>; null for all.</summary>
    public string? Rule { get; init; }

    /// <summary>First local day; null for no bound but the page's span.</summary>
    public DateOnly? From { get; init; }

    /// <summary>Last local day; null for up to now.</summary>
    public DateOnly? To { get; init; }

    /// <summary>Names of the members of an address that say something that cannot be; they count as left out.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Whether all are meant.</summary>
    public bool IsEmpty => (State ?? Station ?? Rule) is null && Severity is null && From is null && To is null;

    /// <summary>Reads an address.</summary>
    public static AlarmFilter Read(IQueryCollection query)
    {
        List<string> problems = [];
        var state = Text("state");
        if (state is not null && !States.Contains(state))
        {
            problems.Add("state");
            state = null;
        }

        Severity? severity = null;
        if (Text("severity") is { } word)
        {
            severity = Enum.TryParse<Severity>(word, ignoreCase: true, out var known) && Enum.IsDefined(known) ? known : null;
            if (severity is null)
            {
                problems.Add("severity");
            }
        }

        var (from, to) = (Day("from"), Day("to"));
        if (from > to)
        {
            problems.Add("to");
            to = null;
        }

        return new() { State = state, Severity = severity, Station = Text("station"), Rule = Text("rule"), From = from, To = to, Problems = problems };

        string? Text(string name) => query[name].ToString() is { Length: > 0 and <= 200 } text ? text : null;

        DateOnly? Day(string name)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 2000 and <= 2200)
            {
                return day;
            }

            problems.Add(name);
            return null;
        }
    }

    /// <summary>Whether an alarm is meant, as far as the alarm itself says.</summary>
    public bool Means(Alarm alarm) =>
        (Severity is null || alarm.Severity == Severity) && (Station is null || Station == $"{alarm.Municipality}/{alarm.Station}") && (Rule is null || Rule == $"{alarm.Municipality}/{alarm.Rule}");

    /// <summary>Whether an alarm is meant, by how it stands.</summary>
    public bool Means(AlarmHandling handling) => State switch
    {
        null => true,
        Silent => handling.IsSilent,
        _ => States[handling.State switch { AlarmState.ActiveUnacknowledged => 0, AlarmState.ActiveAcknowledged => 1, AlarmState.ReturnedUnacknowledged => 2, _ => 3 }] == State,
    };
}
