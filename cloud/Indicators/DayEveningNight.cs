namespace Hub.Cloud.Indicators;

/// <summary>
/// Lden as Portugal weighs it: 13 hours of day (07-20), 3 of evening (20-23) and 8 of night (23-07) of local time (Directive 2002/49/EC, Annex I; RGR, Decreto-Lei 9/2007, article 3). Pure; safe for concurrent callers.
/// </summary>
public static class DayEveningNight
{
    private const double DayHours = 13;
    private const double EveningHours = 3;
    private const double NightHours = 8;

    /// <summary>
    /// Lden of the levels of the three periods, dB(A): the mean of their energies, evening 5 dB and night 10 dB up. The weights stay 13, 3 and 8 also when the clock changes and the night has 7 or 9 hours.
    /// </summary>
    /// <param name="day">Ld: equivalent level of the day, dB(A).</param>
    /// <param name="evening">Le: of the evening, dB(A).</param>
    /// <param name="night">Ln: of the night, dB(A).</param>
    public static double Lden(double day, double evening, double night) =>
        10 * Math.Log10(((DayHours * Energy(day)) + (EveningHours * Energy(evening + 5)) + (NightHours * Energy(night + 10))) / (DayHours + EveningHours + NightHours));

    private static double Energy(double level) => Math.Pow(10, level / 10);
}
