using Hub.Cloud.Indicators;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>The index of one closed hour.</summary>
/// <param name="Start">UTC.</param>
/// <param name="End">UTC.</param>
/// <param name="Index">The index; null when no pollutant was measured for three quarters of the hour.</param>
/// <param name="Averages">The hour's valid means.</param>
internal sealed record AirHour(DateTime Start, DateTime End, AirIndexResult? Index, AirAverages Averages);

/// <summary>A station with its index of the last 24 closed hours.</summary>
/// <param name="View">The station.</param>
/// <param name="Hours">24 hours, the oldest first.</param>
/// <param name="Measured">Pollutants that it has a sensor for.</param>
internal sealed record AirStation(StationView View, IReadOnlyList<AirHour> Hours, IReadOnlyList<AirPollutant> Measured)
{
    /// <summary>Hours after which an index is old: as of any value, three of its periods.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromHours(3);

    /// <summary>The last hour with an index; null when there is none in 24.</summary>
    public AirHour? Latest => Hours.LastOrDefault(static hour => hour.Index is not null);

    /// <summary>Whether the last index is too old to be said of now.</summary>
    public bool IsStale(DateTime now) => Latest is { } latest && now - latest.End > StaleAfter;

    /// <summary>Whether it measures what a place's index should be made of: particles and NO2 (EEA: of places away from traffic O3 as well).</summary>
    public bool IsWhole => Measured.Contains(AirPollutant.NitrogenDioxide) && (Measured.Contains(AirPollutant.Pm25) || Measured.Contains(AirPollutant.Pm10));
}

/// <summary>A day of a calendar.</summary>
/// <param name="Date">Local.</param>
/// <param name="Value">Its mean; NaN when nothing was measured.</param>
/// <param name="Coverage">Share of the day that was measured, 0 to 1; NaN when not known.</param>
/// <param name="IsValid">Whether that is enough by law.</param>
internal readonly record struct CalendarDay(DateOnly Date, double Value, double Coverage, bool IsValid)
{
    /// <summary>Whether there is a figure.</summary>
    public bool Has => double.IsFinite(Value);
}

/// <summary>A year of daily means.</summary>
/// <param name="Year">The year.</param>
/// <param name="Days">Every day of it up to today, in order.</param>
/// <param name="Limit">The limit of a day's mean that holds in that year; null when there is none.</param>
internal sealed record AirCalendar(int Year, IReadOnlyList<CalendarDay> Days, AirLimit? Limit)
{
    /// <summary>Whether a valid day is above the limit.</summary>
    public bool IsOver(CalendarDay day) => day.Has && day.IsValid && Limit is { } limit && day.Value > limit.Limit;
}

/// <summary>A limit with what the year has come to.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Count">Exceedances so far; of a year's mean 1 when it is above.</param>
/// <param name="Mean">Of a limit of the year: the mean so far; NaN otherwise.</param>
/// <param name="Covered">Share of the time up to now that was measured, 0 to 1.</param>
/// <param name="InvalidDays">Days with values, but too few to count.</param>
/// <param name="IsAtLeast">Whether more days could have been read: the count is a lower bound.</param>
internal sealed record LimitTally(AirLimit Limit, int Count, double Mean, double Covered, int InvalidDays, bool IsAtLeast)
{
    /// <summary>Whether enough was measured to speak of the year: three quarters of the time up to now, of a year's mean nine tenths as the law asks.</summary>
    private bool IsEnough => Covered >= (Limit.Period == AirLimitPeriod.Year ? 0.9 : 0.75);

    /// <summary>Whether the year has more than it may have. Exceedances that were found stay, however little was measured; a mean of too little says nothing.</summary>
    public bool IsOver => Limit.Period == AirLimitPeriod.Year ? IsEnough && Mean > Limit.Limit : Count > Limit.Allowed;

    /// <summary>Whether too little was measured to say that the year is within the limit.</summary>
    public bool IsOpen => !IsOver && !IsEnough;
}

/// <summary>A pollution rose with where its wind was measured.</summary>
/// <param name="Rose">The rose.</param>
/// <param name="Bounds">Upper bounds of its classes but the last: those of the index.</param>
/// <param name="Wind">Station of the wind.</param>
/// <param name="Kilometres">How far that is from the station; 0 for its own.</param>
/// <param name="HasSpeed">Whether wind speed is measured: without it no hour counts as calm.</param>
/// <param name="Days">Days looked back.</param>
internal sealed record AirRose(PollutionRose Rose, IReadOnlyList<double> Bounds, Station Wind, double Kilometres, bool HasSpeed, int Days);

/// <summary>What the page about air shows of one station.</summary>
/// <param name="Station">The station.</param>
/// <param name="Series">Datastreams of pollutants to choose from.</param>
/// <param name="Chosen">The one that calendar and rose show.</param>
/// <param name="Calendar">Its year.</param>
/// <param name="Rose">Null when no wind is measured near.</param>
/// <param name="Tallies">Limits of that year for what the station measures.</param>
internal sealed record AirDetail(AirStation Station, IReadOnlyList<Datastream> Series, Datastream Chosen, AirCalendar Calendar, AirRose? Rose, IReadOnlyList<LimitTally> Tallies);
