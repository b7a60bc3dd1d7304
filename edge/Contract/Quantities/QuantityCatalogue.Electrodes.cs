namespace Hub.Edge.Contract.Quantities;

// What gas cells say before anything is made of it: with the cell's certificate and the temperature the concentration can be computed again.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Electrodes() =>
    [
        .. Electrodes("no2", "NO2"), .. Electrodes("o3", "O3"), .. Electrodes("co", "CO"), .. Electrodes("so2", "SO2"),
    ];

    private static CatalogueEntry[] Electrodes(string id, string gas) =>
    [
        new(new Quantity(
            id + "_working_electrode", $"Tensão do elétrodo de trabalho, célula de {gas}", $"Working electrode voltage, {gas} cell", "mV", "mV", -6200, 6200, AveragingRule.Mean,
            $"Output for the working electrode of an electrochemical {gas} cell (OP1 of its board), before any correction. Not a concentration.",
            "Alphasense application note AAN 803")),
        new(new Quantity(
            id + "_auxiliary_electrode", $"Tensão do elétrodo auxiliar, célula de {gas}", $"Auxiliary electrode voltage, {gas} cell", "mV", "mV", -6200, 6200, AveragingRule.Mean,
            $"Output for the auxiliary electrode of an electrochemical {gas} cell (OP2 of its board), which sees the same temperature and no gas. Not a concentration.",
            "Alphasense application note AAN 803")),
    ];
}
