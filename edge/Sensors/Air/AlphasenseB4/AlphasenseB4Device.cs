using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.AlphasenseB4;

/// <summary>
/// Alphasense B4 cells: mass concentrations at 20 °C and 1013 hPa, the voltages of both electrodes of each, and the temperature beside them: all that it takes to compute
/// the concentrations again with a better calibration.
/// </summary>
/// <param name="open">Opens the converter at an address.</param>
/// <param name="options">Cells and thermistor; found good.</param>
/// <param name="address">Address of a converter by what a cell says of it.</param>
internal sealed class AlphasenseB4Device(Func<int, Ads1115> open, AlphasenseB4Options options, Func<string?, int> address) : IDevice
{
    private readonly Dictionary<int, Ads1115> converters = [];
    private readonly AlphasenseCell[] cells = [.. options.Cells.Select(cell => new AlphasenseCell(cell))];

    // Made once: a look allocates no names.
    private readonly string[] workingNames = [.. options.Cells.Select(cell => $"{cell.Gas}_working_electrode")];
    private readonly string[] auxiliaryNames = [.. options.Cells.Select(cell => $"{cell.Gas}_auxiliary_electrode")];
    private readonly Look[] looks = new Look[options.Cells.Count];

    /// <inheritdoc/>
    public TimeSpan WarmUp => options.WarmUp;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        foreach (string? adc in options.Cells.Select(cell => cell.Adc).Append(options.Thermistor!.Adc))
        {
            if (!converters.ContainsKey(address(adc)))
            {
                converters.Add(address(adc), open(address(adc)));
            }
        }

        foreach (Ads1115 converter in converters.Values)
        {
            await converter.MeasureAsync(0, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        (double thermistor, _) = await converters[address(options.Thermistor!.Adc)].MeasureAsync(options.Thermistor.Channel, cancellationToken).ConfigureAwait(false);
        if (AlphasenseCell.Celsius(thermistor, options.Thermistor) is not { } celsius)
        {
            throw new NoSampleException("thermistor", $"the thermistor beside the cells is open or shorted ({thermistor:f0} mV)");
        }

        for (int index = 0; index < cells.Length; index++)
        {
            AlphasenseCellOptions cell = options.Cells[index];
            Ads1115 converter = converters[address(cell.Adc)];
            (double working, bool workingSaturated) = await converter.MeasureAsync(cell.WorkingChannel, cancellationToken).ConfigureAwait(false);
            (double auxiliary, bool auxiliarySaturated) = await converter.MeasureAsync(cell.AuxiliaryChannel, cancellationToken).ConfigureAwait(false);
            looks[index] = new Look(working, auxiliary, Saturated(workingSaturated), Saturated(auxiliarySaturated), cells[index].Ppb(working, auxiliary, celsius));
        }

        Quality range = AlphasenseCell.IsCompensated(celsius) ? Quality.Good : Quality.OutOfRange;
        for (int index = 0; index < cells.Length; index++)
        {
            string gas = options.Cells[index].Gas;
            Look look = looks[index];
            double ppb = look.Ppb;
            Quality quality = range | look.Working | look.Auxiliary;
            if (gas == "o3")
            {
                // The OX cell sees nitrogen dioxide as well; what is wrong with that one is wrong with the difference.
                Look other = looks[No2()];
                ppb = cells[index].Ozone(ppb, other.Ppb);
                quality |= other.Working | other.Auxiliary;
            }

            samples.Add(new Sample(gas, ppb * AlphasenseCell.MassOfPpb[gas], quality));
            samples.Add(new Sample(workingNames[index], look.WorkingMillivolts, look.Working));
            samples.Add(new Sample(auxiliaryNames[index], look.AuxiliaryMillivolts, look.Auxiliary));
        }

        samples.Add(new Sample("temperature", celsius));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (Ads1115 converter in converters.Values)
        {
            converter.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private int No2()
    {
        int index = 0;
        while (options.Cells[index].Gas != "no2")
        {
            index++;
        }

        return index;
    }

    private static Quality Saturated(bool saturated) => saturated ? Quality.Saturated : Quality.Good;

    private readonly record struct Look(double WorkingMillivolts, double AuxiliaryMillivolts, Quality Working, Quality Auxiliary, double Ppb);
}
