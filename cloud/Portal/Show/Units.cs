using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Show;

/// <summary>How units and numbers of a quantity are written for people.</summary>
internal static class Units
{
    /// <summary>The unit as people write it; empty for a plain count.</summary>
    public static string Of(Quantity quantity) => quantity.SenmlUnit switch
    {
        "ug/m3" => "µg/m³",
        "mg/m3" => "mg/m³",
        "1/cm3" => "1/cm³",
        "W/m2" => "W/m²",
        "Cel" => "°C",
        "%RH" or "/100" or "%" => "%",
        "deg" => "°",
        "dB" when quantity.Id is "lcpeak" => "dB(C)",
        "dB" when quantity.Id is "laeq" or "lafmax" or "lafmin" or "la10" or "la50" or "la90" => "dB(A)",
        "count" => "",
        var unit => unit,
    };

    /// <summary>Decimals worth showing: what instruments of this kind resolve, no more.</summary>
    public static int DecimalsOf(Quantity quantity) => quantity.SenmlUnit switch
    {
        "mg/m3" or "V" or "A" => 2,
        "ppm" or "1/cm3" or "count" or "W/m2" or "deg" or "dBm" or "%RH" or "/100" or "s" or "min" => 0,
        _ => 1,
    };

    /// <summary>Ids of the quantities that the equipment measures of itself. The scripts get them too.</summary>
    public static IReadOnlyList<string> Equipment { get; } =
    [
        "battery", "battery_level", "cpu_temperature", "link_quality", "outbox_depth", "uptime", "supply_current", "supply_power", "undervoltage", "throttled", "disk_free", "disk_wear",
        "clock_state", "clock_sync_age", "clock_step",
        "no2_working_electrode", "no2_auxiliary_electrode", "o3_working_electrode", "o3_auxiliary_electrode",
        "co_working_electrode", "co_auxiliary_electrode", "so2_working_electrode", "so2_auxiliary_electrode",
    ];

    /// <summary>Measures of the equipment, not of the city: shown on the station's page only.</summary>
    public static bool IsEquipment(Quantity quantity) => Equipment.Contains(quantity.Id);

    /// <summary>Whether it is one of the figures that stand for a city.</summary>
    public static bool IsTelling(Quantity quantity) => Array.IndexOf(Telling, quantity.Id) >= 0;

    /// <summary>The figures that stand for a station in a list, most telling first.</summary>
    public static int RankOf(Quantity quantity)
    {
        var at = Array.IndexOf(Telling, quantity.Id);
        return at < 0 ? Telling.Length : at;
    }

    private static readonly string[] Telling =
    [
        "pm2_5", "no2", "laeq", "pm10", "o3", "vehicle_count", "mean_speed", "pedestrian_count", "bicycle_count", "temperature", "relative_humidity", "so2", "co",
    ];
}
