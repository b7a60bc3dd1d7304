namespace Hub.Cloud.Portal.Show;

/// <summary>Round numbers for axes. Pure.</summary>
internal static class Scale
{
    /// <summary>The smallest of 1, 2, 2.5 and 5 times a power of ten of which at most so many make up a length; 1 for a length of nothing.</summary>
    /// <param name="length">What is divided, 0 or more.</param>
    /// <param name="most">Steps at most, 1 or more.</param>
    public static double StepOf(double length, int most)
    {
        if (!(length > 0) || !double.IsFinite(length))
        {
            return 1;
        }

        var power = Math.Pow(10, Math.Floor(Math.Log10(length / most)));
        return new[] { 1, 2, 2.5, 5, 10 }.Select(one => one * power).First(step => step * most >= length * (1 - 1e-9));
    }

    /// <summary>Round values from the last one at or below a range to the first at or above it.</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Largest value.</param>
    /// <param name="most">Steps between them, about.</param>
    public static IReadOnlyList<double> Around(double low, double high, int most)
    {
        var step = StepOf(Math.Max(high - low, 1e-9), most);
        var first = Math.Floor((low / step) + 1e-9);
        var last = Math.Max(first + 1, Math.Ceiling((high / step) - 1e-9));
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }
}
