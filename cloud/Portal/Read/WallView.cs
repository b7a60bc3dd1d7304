using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Show;

namespace Hub.Cloud.Portal.Read;

/// <summary>The highest value of a quantity in the city at this moment, and where it is.</summary>
/// <param name="Station">Where.</param>
/// <param name="Value">The value; stale when nobody has a fresh one.</param>
internal sealed record WallFigure(StationView Station, LatestValue Value);

/// <summary>What a screen on the wall shows of the city: few things, large.</summary>
/// <param name="City">The city.</param>
/// <param name="Alarms">Open alarms: those that wait for somebody first, then the more serious, the youngest of each.</param>
/// <param name="AlarmsLeft">Open alarms beyond these.</param>
/// <param name="Figures">The highest value of each of the telling quantities.</param>
internal sealed record WallView(CityView City, IReadOnlyList<AlarmView> Alarms, int AlarmsLeft, IReadOnlyList<WallFigure> Figures)
{
    /// <summary>Alarms shown: what can be read from five metres on one screen.</summary>
    public const int AlarmsMax = 4;

    /// <summary>Figures shown.</summary>
    public const int FiguresMax = 4;

    /// <summary>Stations with a fresh value.</summary>
    public int Reporting => City.Stations.Count(static station => station.Values.Any(static value => !value.Stale && !Units.IsEquipment(value.Datastream.Quantity)));

    /// <summary>Chooses what is shown. Pure.</summary>
    /// <param name="city">The city as the visitor may see it.</param>
    /// <param name="alarms">Its open alarms with their state.</param>
    public static WallView Of(CityView city, IReadOnlyList<AlarmView> alarms)
    {
        var shown = alarms
            .OrderByDescending(static one => one.Handling is not { IsSilent: true })
            .ThenByDescending(static one => one.Handling?.State == Alerts.AlarmState.ActiveUnacknowledged)
            .ThenByDescending(static one => one.Alarm.Severity)
            .ThenByDescending(static one => one.Alarm.ConditionAt).Take(AlarmsMax).ToArray();
        var figures = city.Stations
            .SelectMany(static station => station.Values.Where(static value => value.Latest is not null && Units.IsTelling(value.Datastream.Quantity)).Select(value => new WallFigure(station, value)))
            .GroupBy(static one => one.Value.Datastream.Quantity.Id)
            .Select(static group => group.OrderBy(static one => one.Value.Stale).ThenByDescending(static one => one.Value.Stale ? one.Value.End!.Value.Ticks : one.Value.Latest!.Value.Result).First())
            .OrderBy(static one => one.Value.Stale).ThenBy(static one => Units.RankOf(one.Value.Datastream.Quantity)).Take(FiguresMax);
        return new(city, shown, alarms.Count - shown.Length, [.. figures]);
    }
}

/// <summary>The hours in which a screen on the wall is dimmed, by the city's clock.</summary>
/// <param name="From">Hour at which it begins, 0 to 23.</param>
/// <param name="Until">Hour at which it ends, 0 to 23; the same as <paramref name="From"/> for never.</param>
internal readonly record struct NightHours(int From, int Until)
{
    /// <summary>From ten to seven.</summary>
    public static readonly NightHours Usual = new(22, 7);

    /// <summary>Whether a local hour is within them.</summary>
    public bool Contains(int hour) => From <= Until ? hour >= From && hour < Until : hour >= From || hour < Until;

    /// <summary>Reads <c>22-7</c>, or <c>never</c>; nothing means the usual. False for anything else.</summary>
    public static bool TryRead(string? text, out NightHours hours)
    {
        hours = Usual;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        if (text == "never")
        {
            hours = default;
            return true;
        }

        if (text.Split('-') is [var from, var until]
            && int.TryParse(from, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var begin) && begin <= 23
            && int.TryParse(until, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var end) && end <= 23)
        {
            hours = new(begin, end);
            return true;
        }

        return false;
    }
}
