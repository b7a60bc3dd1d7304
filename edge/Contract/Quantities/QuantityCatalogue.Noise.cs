namespace Hub.Edge.Contract.Quantities;

// Sound levels, re 20 uPa. No unit symbol says A or C weighting: the identifier does.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Noise() =>
    [
        new(new Quantity(
            "laeq", "Nível sonoro contínuo equivalente LAeq", "Equivalent continuous sound level LAeq", "dB", "dB[SPL]", 15, 140, AveragingRule.EnergyMean,
            "A-weighted equivalent continuous level over the period. Combines over time only as energy, never as an arithmetic mean. Not Lden or Ln, which are indicators made from it.",
            "IEC 61672-1; Directive 2002/49/EC; DL 9/2007 (RGR)")),
        new(new Quantity(
            "lafmax", "Nível sonoro máximo LAFmax", "Maximum sound level LAFmax", "dB", "dB[SPL]", 15, 145, AveragingRule.Max,
            "Largest A-weighted, F (125 ms) time-weighted level in the period. Not the largest 1 s LAeq, and not a peak.",
            "IEC 61672-1")),
        new(new Quantity(
            "lafmin", "Nível sonoro mínimo LAFmin", "Minimum sound level LAFmin", "dB", "dB[SPL]", 10, 140, AveragingRule.Min,
            "Smallest A-weighted, F (125 ms) time-weighted level in the period.",
            "IEC 61672-1")),
        new(new Quantity(
            "la10", "Nível excedido em 10 % do tempo LA10", "Level exceeded 10 % of the time LA10", "dB", "dB[SPL]", 15, 140, AveragingRule.None,
            "A-weighted level exceeded during 10 % of the period: the 90th percentile. Cannot be combined from shorter periods.",
            "ISO 1996-1; IEC 61672-1")),
        new(new Quantity(
            "la50", "Nível excedido em 50 % do tempo LA50", "Level exceeded 50 % of the time LA50", "dB", "dB[SPL]", 15, 140, AveragingRule.None,
            "A-weighted level exceeded during half of the period: the median. Cannot be combined from shorter periods.",
            "ISO 1996-1; IEC 61672-1")),
        new(new Quantity(
            "la90", "Nível excedido em 90 % do tempo LA90", "Level exceeded 90 % of the time LA90", "dB", "dB[SPL]", 10, 140, AveragingRule.None,
            "A-weighted level exceeded during 90 % of the period: the 10th percentile, often read as background. Cannot be combined from shorter periods.",
            "ISO 1996-1; IEC 61672-1")),
        new(new Quantity(
            "lcpeak", "Nível de pico LCpeak", "Peak sound level LCpeak", "dB", "dB[SPL]", 30, 160, AveragingRule.Max,
            "Largest instantaneous C-weighted sound pressure, without time weighting. Not comparable with LAFmax.",
            "IEC 61672-1")),
    ];
}
