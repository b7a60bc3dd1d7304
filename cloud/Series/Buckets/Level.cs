namespace Hub.Cloud.Series;

/// <summary>Levels in decibels are averaged as energy.</summary>
internal static class Level
{
    /// <summary>10^(L/10), as a multiple of the reference energy.</summary>
    public static double Energy(double decibels) => Math.Pow(10, decibels / 10);

    /// <summary>10 lg E.</summary>
    public static double OfEnergy(double energy) => 10 * Math.Log10(energy);
}
