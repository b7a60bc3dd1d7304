namespace Hub.Cloud.Transfer.Mapping;

/// <summary>A mapping file: which files hold what. The words are those of a station file's <c>replay:</c> block where both say the same thing.</summary>
internal sealed class ImportMapping
{
    /// <summary>One entry per kind of file; the first whose <see cref="MappingSource.File"/> fits a file describes it.</summary>
    public List<MappingSource> Sources { get; set; } = [];
}

/// <summary>How one kind of file is written, and where its values go.</summary>
internal sealed class MappingSource
{
    /// <summary>Name of the file without its folder; <c>*</c> and <c>?</c> stand for any characters and any one. Default: every file.</summary>
    public string File { get; set; } = "*";

    /// <summary><c>csv</c>, <c>parquet</c> or <c>lines</c>; default: told by the file's name.</summary>
    public string? Format { get; set; }

    /// <summary>CSV: one character between fields, or <c>tab</c>; default comma.</summary>
    public string Delimiter { get; set; } = ",";

    /// <summary>CSV: <c>utf-8</c> (default) or <c>latin-1</c>.</summary>
    public string Encoding { get; set; } = "utf-8";

    /// <summary>CSV: lines before the first row of data, 0 to 100; default 1.</summary>
    public int HeadingLines { get; set; } = 1;

    /// <summary>CSV: which of them holds the headings, 1 for the first; default the last.</summary>
    public int? HeadingLine { get; set; }

    /// <summary>True where numbers are written with a decimal comma.</summary>
    public bool DecimalComma { get; set; }

    /// <summary>Texts that mean "no value", besides an empty field; e.g. <c>-99</c>.</summary>
    public List<string> Missing { get; set; } = [];

    /// <summary>True where the newest row comes first: decides which of the two hours is meant that a local clock shows twice.</summary>
    public bool NewestFirst { get; set; }

    /// <summary>Column with the time stamp. Required, save in line protocol.</summary>
    public string TimeColumn { get; set; } = "";

    /// <summary>Second column of the time stamp, where date and time are apart; joined to the first with one space.</summary>
    public string? TimeColumnSecond { get; set; }

    /// <summary>Format of the time stamp in .NET notation, or <c>iso</c> (default), <c>unix</c> (seconds), <c>unix-ms</c>, <c>unix-us</c>, <c>unix-ns</c>.</summary>
    public string TimeFormat { get; set; } = "iso";

    /// <summary>Zone of time stamps that do not say it: <c>UTC</c> (default), a fixed offset such as <c>+01:00</c>, or an IANA name for local time.</summary>
    public string Zone { get; set; } = "UTC";

    /// <summary>What a stamp marks: <c>start</c> (default) or <c>end</c> of the period.</summary>
    public string Stamp { get; set; } = "start";

    /// <summary>Averaging period of a row, <c>00:30:00</c>, or <c>{column}</c> with whole seconds; default zero, instantaneous. A target may say another one.</summary>
    public string? Period { get; set; }

    /// <summary>What the texts of a templated station stand for: text in the file to <c>municipality/station</c>.</summary>
    public Dictionary<string, string> Stations { get; set; } = [];

    /// <summary>True for values that were checked before, as the hub's own: they are not flagged anew when they are outside the plausible range.</summary>
    public bool Checked { get; set; }

    /// <summary>Where values go, 1 or more.</summary>
    public List<MappingTarget> Targets { get; set; } = [];
}

/// <summary>Values of one sensor. In <see cref="Station"/>, <see cref="Sensor"/>, <see cref="Period"/> and a column's quantity and unit, <c>{column}</c> stands for what the row has there.</summary>
internal sealed class MappingTarget
{
    /// <summary><c>municipality/station</c>. Required.</summary>
    public string Station { get; set; } = "";

    /// <summary>Name of the instrument at the station. Required.</summary>
    public string Sensor { get; set; } = "";

    /// <summary>Averaging period, before <see cref="MappingSource.Period"/>.</summary>
    public string? Period { get; set; }

    /// <summary>Only rows whose field in this column is <see cref="FilterValue"/>; default all rows.</summary>
    public string? FilterColumn { get; set; }

    /// <summary>What <see cref="FilterColumn"/> must hold.</summary>
    public string? FilterValue { get; set; }

    /// <summary>Column with the share of the period really measured, 0 to 1; larger numbers count as 1.</summary>
    public string? CoverageColumn { get; set; }

    /// <summary>The number in <see cref="CoverageColumn"/> stands behind the last occurrence of this text, e.g. <c>" - "</c> in <c>Good uptime - 0.98</c>.</summary>
    public string? CoverageAfter { get; set; }

    /// <summary>Column with what is known against the value.</summary>
    public string? QualityColumn { get; set; }

    /// <summary>What its texts mean: text to flags of the hub, e.g. <c>Poor*: incomplete</c>; a <c>*</c> at the end stands for anything. Default: the words of the hub's own API.</summary>
    public Dictionary<string, string>? QualityWords { get; set; }

    /// <summary>Column with the value before calibration.</summary>
    public string? RawColumn { get; set; }

    /// <summary>Column with the version of the calibration.</summary>
    public string? CalibrationColumn { get; set; }

    /// <summary>Column with the revision.</summary>
    public string? RevisionColumn { get; set; }

    /// <summary>The columns with values, 1 or more.</summary>
    public List<MappingColumn> Columns { get; set; } = [];
}

/// <summary>One column of values: result = field x <see cref="Factor"/> + <see cref="Offset"/>, in <see cref="Unit"/>.</summary>
internal sealed class MappingColumn
{
    /// <summary>Heading or <c>#place</c>, <c>#1</c> being the first. Required.</summary>
    public string Column { get; set; } = "";

    /// <summary>Quantity of the catalogue. Required.</summary>
    public string Quantity { get; set; } = "";

    /// <summary>Unit after factor and offset, a SenML symbol of the quantity's kind; default its canonical unit.</summary>
    public string? Unit { get; set; }

    /// <summary>Factor, not zero; default 1.</summary>
    public double Factor { get; set; } = 1;

    /// <summary>Added after the factor; default 0.</summary>
    public double Offset { get; set; }

    /// <summary>The value counts only where this column is above <see cref="OnlyAbove"/>, e.g. a speed only where vehicles were counted.</summary>
    public string? OnlyWhere { get; set; }

    /// <summary>Bound of <see cref="OnlyWhere"/>, exclusive; default 0.</summary>
    public double OnlyAbove { get; set; }
}
