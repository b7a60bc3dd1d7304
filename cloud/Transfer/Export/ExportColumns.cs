namespace Hub.Cloud.Transfer.Export;

/// <summary>The columns of an export, in their order. Those the API's CSV has too have its names; the rest says which datastream it is.</summary>
internal static class ExportColumns
{
    public const string Municipality = "municipality";
    public const string Station = "station";
    public const string Sensor = "sensor";
    public const string Property = "property";

    /// <summary>Averaging period, whole seconds.</summary>
    public const string Period = "period";

    public const string PhenomenonTime = "phenomenonTime";
    public const string Result = "result";

    /// <summary>SenML symbol.</summary>
    public const string Unit = "unit";

    /// <summary>Words with spaces between, empty for good.</summary>
    public const string Quality = "quality";

    public const string Calibration = "calibration";
    public const string Raw = "raw";
    public const string Coverage = "coverage";
    public const string Revision = "revision";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Names { get; } = [Municipality, Station, Sensor, Property, Period, PhenomenonTime, Result, Unit, Quality, Calibration, Raw, Coverage, Revision];
}
