namespace Hub.Cloud.Portal.Show;

/// <summary>A picture with an axis of values up its left side, on which the charts of a topic are drawn. Narrow on purpose: a phone shows it without making its words too small. Used by one caller at a time.</summary>
internal sealed class Plot
{
    public const double Width = 400;
    public const double Height = 220;
    public const double Left = 34;
    public const double Right = 394;
    public const double Top = 24;
    public const double Bottom = 192;

    private readonly double _low;
    private readonly double _high;

    /// <summary>Draws the axis: a pale line and a figure at each round value.</summary>
    /// <param name="say">Language of the figures.</param>
    /// <param name="low">Smallest value to be shown.</param>
    /// <param name="high">Largest value to be shown.</param>
    /// <param name="unit">Written above the axis.</param>
    public Plot(Speech say, double low, double high, string unit)
    {
        var values = Scale.Around(low, high, 5);
        (_low, _high) = (values[0], values[^1]);
        var decimals = values.Any(static value => Math.Abs(value - Math.Round(value)) > 1e-9) ? 1 : 0;
        foreach (var value in values)
        {
            Picture.Line("grid", Left, Up(value), Right, Up(value));
            Picture.Text("axis", Left - 5, Up(value) + 3.5, say.Figure(value, decimals), "end");
        }

        Picture.Text("axis", 2, 11, unit);
    }

    public Drawing Picture { get; } = new(Width, Height);

    /// <summary>Where a value lies.</summary>
    public double Up(double value) => Bottom - ((value - _low) / (_high - _low) * (Bottom - Top));

    /// <summary>Where a share of the width lies, 0 to 1.</summary>
    public static double Across(double share) => Left + (share * (Right - Left));

    /// <summary>A word below the axis.</summary>
    public void Below(double share, string text, string anchor = "middle") => Picture.Text("axis", Across(share), Bottom + 16, text, anchor);

    /// <summary>A limit as a dashed line; its name stands in the key, where it hides nothing.</summary>
    public void Limit(string kind, double value) => Picture.Line("limit " + kind, Left, Up(value), Right, Up(value));
}
