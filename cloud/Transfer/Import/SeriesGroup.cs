using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Transfer.Import;

/// <summary>The series a target's rows go to that agree in station, sensor, period, quantities and units; and where they stand in local time.</summary>
internal sealed class SeriesGroup
{
    /// <summary>What tells it apart within its file.</summary>
    public required string Key { get; init; }

    /// <summary>Identifier of the station; 0 when <see cref="Problem"/> says why there is none.</summary>
    public int Station { get; init; }

    /// <summary>Name of the instrument.</summary>
    public string Sensor { get; init; } = "";

    /// <summary>Averaging period.</summary>
    public TimeSpan Period { get; init; }

    /// <summary>Why nothing can go here; null when something can.</summary>
    public (RefusalReason Reason, string Column, string Value, string Detail)? Problem { get; init; }

    /// <summary>One per column of the target.</summary>
    public SeriesSlot[] Slots { get; init; } = [];

    /// <summary>UTC ticks of the row before, for the hour that a local clock shows twice.</summary>
    public long Previous;
}

/// <summary>Where the values of one column go.</summary>
internal sealed class SeriesSlot
{
    /// <summary>The quantity; null when <see cref="Problem"/> says why there is none.</summary>
    public Quantity? Quantity { get; init; }

    /// <summary>The way to its unit.</summary>
    public UnitConversion Conversion { get; init; }

    /// <summary>Identifier of the datastream; 0 while no value has come.</summary>
    public int Datastream { get; set; }

    /// <summary>Why its values are refused; null while they are not.</summary>
    public (RefusalReason Reason, string Detail)? Problem { get; set; }

    /// <summary>True when nothing has to be found out before a value can be taken or refused.</summary>
    public bool IsReady => Datastream != 0 || Problem is not null;
}
