namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>Where in a row what stands, and how it is written. Fields are counted from 0.</summary>
internal sealed record TableLayout
{
    /// <summary>Field of the time stamp.</summary>
    public required int TimeField { get; init; }

    /// <summary>Second field of the time stamp, joined with one space.</summary>
    public int? TimeFieldSecond { get; init; }

    /// <summary>Formats of the time stamp, any of which may occur.</summary>
    public required string[] TimeFormats { get; init; }

    /// <summary>Zone of the time stamps.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>Zone people at the place lived by.</summary>
    public required TimeZoneInfo Place { get; init; }

    /// <summary>Averaging period; zero for instantaneous values.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>True where the stamp marks the end of the period.</summary>
    public bool StampIsEnd { get; init; }

    /// <summary>True where the newest row comes first.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>True where numbers have a decimal comma.</summary>
    public bool DecimalComma { get; init; }

    /// <summary>Texts besides the empty one that mean "no value".</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Only rows with this text in this field.</summary>
    public (int Field, string Text)? Filter { get; init; }

    /// <summary>Field with the share of the period that was measured.</summary>
    public (int Field, CoverageText Read)? Coverage { get; init; }

    /// <summary>The columns with values.</summary>
    public required IReadOnlyList<ColumnLayout> Columns { get; init; }
}

/// <summary>Reads how much of the period was measured; false where the text says nothing understandable.</summary>
/// <param name="text">The field.</param>
/// <param name="share">Share of the period, as written (may be above 1).</param>
/// <param name="poor">The publisher itself calls it too little.</param>
internal delegate bool CoverageText(ReadOnlySpan<char> text, out double share, out bool poor);

/// <summary>One column of values.</summary>
/// <param name="Field">Its field.</param>
/// <param name="Name">What the publisher calls it, for messages.</param>
/// <param name="Property">Quantity id.</param>
/// <param name="Factor">Factor to the canonical unit.</param>
/// <param name="Offset">Added after the factor.</param>
/// <param name="OnlyWhere">The value counts only where this field holds a number above the bound.</param>
internal sealed record ColumnLayout(int Field, string Name, string Property, double Factor = 1, double Offset = 0, (int Field, double Above)? OnlyWhere = null);
