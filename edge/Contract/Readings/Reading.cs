namespace Hub.Edge.Contract.Readings;

/// <summary>A value on the wire, as the agent said it, in the canonical unit of its quantity.</summary>
/// <param name="Sensor">Name of the instrument at its station, 1 to 64 of <c>a-z 0-9 -</c>, first one alphanumeric.</param>
/// <param name="Property">Identifier of the observed property, a <see cref="Quantities.Quantity.Id"/>.</param>
/// <param name="PhenomenonTime">UTC instant the value stands for; for a period, its start. Kind is Utc; resolution one microsecond.</param>
/// <param name="Value">Result, finite, in the canonical unit.</param>
public readonly record struct Reading(string Sensor, string Property, DateTime PhenomenonTime, double Value)
{
    /// <summary>What is known against the value.</summary>
    public Quality Quality { get; init; }

    /// <summary>Averaging or counting period, starting at <see cref="PhenomenonTime"/>; zero for an instantaneous value. Whole seconds.</summary>
    public TimeSpan Period { get; init; }

    /// <summary>The instrument's value before calibration, in the same unit; null when no calibration was applied.</summary>
    public double? Raw { get; init; }

    /// <summary>Version of the calibration that made <see cref="Value"/> from <see cref="Raw"/>; 0 when none was applied.</summary>
    public int Calibration { get; init; }

    /// <summary>Share of <see cref="Period"/> that was really measured, 0 to 1; null when not stated.</summary>
    public double? Coverage { get; init; }

    /// <summary>Revision of the same value by its source: the larger one wins. 0 for the first statement.</summary>
    public int Revision { get; init; }
}
