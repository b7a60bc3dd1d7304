namespace Hub.Edge.Sensors.Replay;

/// <summary>Any table with one row per time stamp. A column is named by its heading (spaces around it ignored) or by its place, <c>#1</c> being the first.</summary>
public sealed class CsvFormatOptions
{
    /// <summary>One character between fields, or <c>tab</c>; default comma.</summary>
    public string Delimiter { get; set; } = ",";

    /// <summary><c>utf-8</c> (default) or <c>latin-1</c>.</summary>
    public string Encoding { get; set; } = "utf-8";

    /// <summary>Lines before the first row of data, 0 to 100; the last of them holds the headings. Default 1.</summary>
    public int HeadingLines { get; set; } = 1;

    /// <summary>True where numbers are written with a decimal comma.</summary>
    public bool DecimalComma { get; set; }

    /// <summary>Texts that mean "no value", besides an empty field; e.g. <c>-99</c>.</summary>
    public IList<string> Missing { get; } = [];

    /// <summary>True where the newest row comes first.</summary>
    public bool NewestFirst { get; set; }

    /// <summary>Column with the time stamp. Required.</summary>
    public string TimeColumn { get; set; } = "";

    /// <summary>Second column of the time stamp, where date and time are apart; joined to the first with one space.</summary>
    public string? TimeColumnSecond { get; set; }

    /// <summary>Format of the time stamp in .NET notation, e.g. <c>dd-MM-yyyy HH:mm</c>. Required.</summary>
    public string TimeFormat { get; set; } = "";

    /// <summary>Only rows whose field in this column is <see cref="FilterValue"/>; default all rows.</summary>
    public string? FilterColumn { get; set; }

    /// <summary>What <see cref="FilterColumn"/> must hold.</summary>
    public string? FilterValue { get; set; }

    /// <summary>Column with the share of the period really measured, 0 to 1; larger numbers count as 1.</summary>
    public string? CoverageColumn { get; set; }

    /// <summary>The columns with values, 1 or more.</summary>
    public IList<CsvColumnOptions> Columns { get; } = [];
}

/// <summary>One column of values: result = field x <see cref="Factor"/> + <see cref="Offset"/>, in the quantity's canonical unit.</summary>
public sealed class CsvColumnOptions
{
    /// <summary>Heading or <c>#place</c>. Required.</summary>
    public string Column { get; set; } = "";

    /// <summary>Quantity id. Required.</summary>
    public string Quantity { get; set; } = "";

    /// <summary>Factor to the canonical unit, not zero; default 1.</summary>
    public double Factor { get; set; } = 1;

    /// <summary>Added after the factor; default 0.</summary>
    public double Offset { get; set; }

    /// <summary>The value counts only where this column is above <see cref="OnlyAbove"/>, e.g. a speed only where vehicles were counted.</summary>
    public string? OnlyWhere { get; set; }

    /// <summary>Bound of <see cref="OnlyWhere"/>, exclusive; default 0.</summary>
    public double OnlyAbove { get; set; }
}
