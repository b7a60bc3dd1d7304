using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Air.AlphasenseB4;

/// <summary>Kind <c>alphasenseb4</c>, on I2C through ADS1115 (0x48 to 0x4b).</summary>
internal sealed class AlphasenseB4Kind() : DeviceKind("alphasenseb4", new DeviceTiming(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x48;
    private const int LastAddress = 0x4B;
    private const int CellsMax = 8;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [.. Enumerable.Range(StandardAddress, LastAddress - StandardAddress + 1)];

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in I2cFailures(bus, StandardAddress, key))
        {
            yield return failure;
        }

        string at = $"{key}:AlphasenseB4";
        AlphasenseB4Options options = sensor.AlphasenseB4 ?? new AlphasenseB4Options();
        if (!Ads1115.FullScales.Contains(options.FullScale))
        {
            yield return $"{at}:FullScale is {Text(options.FullScale)}: give one of {string.Join(", ", Ads1115.FullScales.Select(Text))} (V).";
        }

        if (options.WarmUp < TimeSpan.Zero || options.WarmUp > TimeSpan.FromDays(1))
        {
            yield return $"{at}:WarmUp is {options.WarmUp}: give zero to 1 day.";
        }

        if (options.Cells.Count is 0 or > CellsMax)
        {
            yield return $"{at}:Cells has {options.Cells.Count} entries: give 1 to {CellsMax} cells.";
        }

        foreach (string twice in options.Cells.GroupBy(cell => cell.Gas).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return $"{at}:Cells has '{twice}' twice: give a second cell of a gas a sensor of its own.";
        }

        for (int index = 0; index < options.Cells.Count; index++)
        {
            foreach (string failure in Failures(options.Cells[index], options, bus, $"{at}:Cells:{index}"))
            {
                yield return failure;
            }
        }

        if (options.Thermistor is not { } thermistor)
        {
            yield return $"{at}:Thermistor is missing: say which input has the thermistor beside the cells.";
            yield break;
        }

        if (!IsConverter(thermistor.Adc, bus))
        {
            yield return $"{at}:Thermistor:Adc is '{thermistor.Adc ?? bus.Address}': give 0x48 to 0x4b.";
        }

        if (thermistor.Channel is < 0 or > 3)
        {
            yield return $"{at}:Thermistor:Channel is {thermistor.Channel}: give 0 to 3.";
        }

        if (options.Cells.Any(cell => Converter(cell.Adc, bus) == Converter(thermistor.Adc, bus) && (cell.WorkingChannel == thermistor.Channel || cell.AuxiliaryChannel == thermistor.Channel)))
        {
            yield return $"{at}:Thermistor:Channel is {thermistor.Channel}, which a cell has already: give the thermistor an input of its own.";
        }

        if (!(thermistor is { Supply: > 0 and <= 10, SeriesOhm: > 0, Ohm25: > 0, Beta: > 0 }))
        {
            yield return $"{at}:Thermistor: give Supply (V, up to 10), SeriesOhm, Ohm25 and Beta greater than zero.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        AlphasenseB4Options options = sensor.AlphasenseB4!;
        return new AlphasenseB4Device(
            address => new Ads1115(
                context.Buses.OpenI2c(bus.I2c!.Value, address), options.FullScale,
                string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}"), context.Time),
            options, adc => Converter(adc, bus));
    }

    private static IEnumerable<string> Failures(AlphasenseCellOptions cell, AlphasenseB4Options options, BusOptions bus, string key)
    {
        if (!AlphasenseCell.MassOfPpb.ContainsKey(cell.Gas))
        {
            yield return $"{key}:Gas is '{cell.Gas}': give one of {string.Join(", ", AlphasenseCell.MassOfPpb.Keys)}.";
        }

        if (!IsConverter(cell.Adc, bus))
        {
            yield return $"{key}:Adc is '{cell.Adc ?? bus.Address}': give 0x48 to 0x4b.";
        }

        if (cell.WorkingChannel is < 0 or > 3 || cell.AuxiliaryChannel is < 0 or > 3 || cell.WorkingChannel == cell.AuxiliaryChannel)
        {
            yield return $"{key}:WorkingChannel is {cell.WorkingChannel} and AuxiliaryChannel {cell.AuxiliaryChannel}: give two different inputs, 0 to 3.";
        }

        if (cell.Algorithm is < 1 or > 4)
        {
            yield return $"{key}:Algorithm is {cell.Algorithm}: give 1 to 4, as application note AAN 803 has them.";
        }

        if (cell.Factors.Count != AlphasenseCell.FactorsAt.Length || !cell.Factors.All(double.IsFinite))
        {
            yield return $"{key}:Factors has {cell.Factors.Count} numbers: give {AlphasenseCell.FactorsAt.Length}, for -30 to 50 °C in steps of 10, from the table of AAN 803 for this type of cell.";
        }

        (string Name, double? Value, bool Needed)[] figures =
        [
            (nameof(cell.WorkingElectronicZero), cell.WorkingElectronicZero, true),
            (nameof(cell.AuxiliaryElectronicZero), cell.AuxiliaryElectronicZero, true),
            (nameof(cell.WorkingSensorZero), cell.WorkingSensorZero, cell.Algorithm is 2 or 3 or 4),
            (nameof(cell.AuxiliarySensorZero), cell.AuxiliarySensorZero, cell.Algorithm is 2 or 3),
            (nameof(cell.Sensitivity), cell.Sensitivity, true),
            (nameof(cell.SensitivityNo2), cell.SensitivityNo2, cell.Gas == "o3"),
        ];
        foreach ((string name, double? value, bool needed) in figures)
        {
            if (value is { } figure ? !double.IsFinite(figure) : needed)
            {
                yield return $"{key}:{name} is missing or no number: give it as on the cell's certificate.";
            }
        }

        if (cell.Sensitivity is <= 0)
        {
            yield return $"{key}:Sensitivity is {Text(cell.Sensitivity.Value)}: give mV/ppb, greater than zero.";
        }

        if (cell.Algorithm == 2 && cell.AuxiliarySensorZero == 0)
        {
            yield return $"{key}:AuxiliarySensorZero is 0, which algorithm 2 divides by: take another algorithm.";
        }

        if (cell.Gas == "o3" && options.Cells.All(other => other.Gas != "no2"))
        {
            yield return $"{key}:Gas is 'o3': the OX cell sees nitrogen dioxide too, so give a cell with gas no2 beside it.";
        }
    }

    private static bool IsConverter(string? adc, BusOptions bus) =>
        new BusOptions { Address = adc ?? bus.Address }.TryAddress(StandardAddress, out int address) && address is >= StandardAddress and <= LastAddress;

    private static int Converter(string? adc, BusOptions bus) => Address(new BusOptions { Address = adc ?? bus.Address }, StandardAddress);

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
