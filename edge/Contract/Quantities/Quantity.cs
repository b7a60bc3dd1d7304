namespace Hub.Edge.Contract.Quantities;

/// <summary>One observed property of the quantity catalogue, with its one canonical unit.</summary>
/// <param name="Id">Stable identifier on the wire and in the API: lower case letters, digits and underscores, e.g. <c>pm2_5</c>.</param>
/// <param name="NamePt">Name in European Portuguese.</param>
/// <param name="NameEn">Name in English.</param>
/// <param name="SenmlUnit">Canonical unit as a SenML symbol (RFC 8428, RFC 8798), e.g. <c>ug/m3</c>; values are stored in it.</param>
/// <param name="UcumUnit">The same unit as a UCUM symbol, e.g. <c>ug/m3</c>, <c>dB[SPL]</c>.</param>
/// <param name="PlausibleMin">Smallest plausible value in the canonical unit, inclusive; below it a reading is kept and flagged.</param>
/// <param name="PlausibleMax">Largest plausible value in the canonical unit, inclusive; above it a reading is kept and flagged.</param>
/// <param name="Averaging">How values combine over a longer period.</param>
/// <param name="Description">What it is, and what it is not.</param>
/// <param name="Source">Standard clause, directive or data sheet that defines it.</param>
public sealed record Quantity(
    string Id,
    string NamePt,
    string NameEn,
    string SenmlUnit,
    string UcumUnit,
    double PlausibleMin,
    double PlausibleMax,
    AveragingRule Averaging,
    string Description,
    string Source)
{
    /// <summary>
    /// How long a value is of any use, counted from the end of its period; null (nearly all) for ever. What is only of live interest says how the station fares now: after an
    /// outage it is dropped, and counted, instead of sent, and on its way it has a message expiry (FORMAT.md).
    /// </summary>
    public TimeSpan? LiveFor { get; init; }
}
