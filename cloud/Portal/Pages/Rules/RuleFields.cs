using Hub.Cloud.Portal.Serving;

namespace Hub.Cloud.Portal.Pages.Rules;

/// <summary>What is said under a field: what it is for, and what is wrong with it.</summary>
/// <param name="Form">The form.</param>
/// <param name="Id">Id of the field.</param>
/// <param name="Hint">What it is for; null when its label says all.</param>
internal sealed record FieldAbout(RuleForm Form, string Id, string? Hint = null)
{
    /// <summary>What is wrong; null when nothing is.</summary>
    public FieldProblem? Problem => Form.Problems.GetValueOrDefault(Id);

    /// <summary>Id of what is said, for the field to refer to; null when nothing is.</summary>
    public string? Reference => Hint is null && Problem is null ? null : "about-" + Id;

    /// <summary>As ARIA says it.</summary>
    public string? Invalid => Problem is null ? null : "true";
}

/// <summary>A field for a line of text or a number.</summary>
/// <param name="About">What is said under it.</param>
/// <param name="Name">Its name in the form.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Value">What is in it.</param>
internal sealed record LineField(FieldAbout About, string Name, string Label, string? Value)
{
    /// <summary>Whether a number is expected.</summary>
    public bool IsNumber { get; init; }

    /// <summary>Whether it has a line of its own.</summary>
    public bool IsWide { get; init; }

    /// <summary>Most characters.</summary>
    public int LengthMax { get; init; } = 200;

    /// <summary>Unit shown beside it; null for none.</summary>
    public string? Unit { get; init; }

    /// <summary>Whether the unit follows the quantity that is chosen.</summary>
    public bool UnitFollows { get; init; }

    /// <summary>Whether the unit is that of the quantity that is chosen, whatever the measure.</summary>
    public bool UnitIsQuantitys { get; init; }

    /// <summary>Id of a list of suggestions.</summary>
    public string? List { get; init; }
}

/// <summary>A field for a length of time.</summary>
/// <param name="About">What is said under it.</param>
/// <param name="Name">Its name in the form.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Value">What is in it.</param>
internal sealed record DurationField(FieldAbout About, string Name, string Label, DurationFields Value);

/// <summary>The fields of one level.</summary>
/// <param name="Form">The form.</param>
/// <param name="Row">0 for the rule's first level.</param>
/// <param name="Unit">Unit of its levels; empty for none.</param>
internal sealed record LevelRow(RuleForm Form, int Row, string Unit);
