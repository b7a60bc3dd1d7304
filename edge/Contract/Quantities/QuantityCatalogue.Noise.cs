namespace Hub.Edge.Contract.Quantities;

// Sound levels, re 20 uPa. No unit symbol says A or C weighting: the identifier does.
public static partial class QuantityCatalogue
{
    // A property: the order in which the fields of two files are set is nobody's promise.
    private static string[] ThirdOctaves =>
    [
        "25", "31.5", "40", "50", "63", "80", "100", "125", "160", "200", "250", "315", "400", "500",
        "630", "800", "1000", "1250", "1600", "2000", "2500", "3150", "4000", "5000", "6300", "8000", "10000", "12500",
    ];

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

    /// <summary>The family <c>lzeq_25</c>, <c>lzeq_31_5</c> ... <c>lzeq_12500</c>: one quantity for each nominal third-octave frequency, hertz.</summary>
    private static CatalogueEntry[] NoiseBands() => Array.ConvertAll(ThirdOctaves, static hertz => new CatalogueEntry(new Quantity(
        "lzeq_" + hertz.Replace('.', '_'),
        "Nível sonoro LZeq na banda de " + hertz.Replace('.', ',') + " Hz",
        "Sound level LZeq in the " + hertz + " Hz band",
        "dB", "dB[SPL]", -20, 140, AveragingRule.EnergyMean,
        "Equivalent continuous level over the period in the third-octave band of this nominal frequency, without frequency weighting. Bands add up as energy; not A-weighted.",
        "IEC 61260-1; IEC 61672-1")));
}
