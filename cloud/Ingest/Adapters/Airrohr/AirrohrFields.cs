namespace Hub.Cloud.Ingest.Adapters.Airrohr;

/// <summary>What is known of a value type.</summary>
internal enum AirrohrField
{
    /// <summary>Nothing.</summary>
    Unknown,

    /// <summary>It is no observed property of the hub, or not the one its name suggests.</summary>
    LeftOut,

    /// <summary>Which observed property it is.</summary>
    Mapped,
}

/// <summary>The value types of the airrohr firmware (airrohr-firmware.ino, ext_def.h).</summary>
internal static class AirrohrFields
{
    /// <summary>Sensors by what stands in front of their types.</summary>
    private static readonly Dictionary<string, string> Prefixes = new(StringComparer.Ordinal)
    {
        ["SDS"] = "sds011",
        ["PMS"] = "pms",
        ["HPM"] = "hpm",
        ["NPM"] = "npm",
        ["IPS"] = "ips7100",
        ["SEN5X"] = "sen5x",
        ["SPS30"] = "sps30",
        ["BME280"] = "bme280",
        ["BMP280"] = "bmp280",
        ["BMP"] = "bmp180",
        ["DHT"] = "dht22",
        ["HTU21D"] = "htu21d",
        ["SHT3X"] = "sht3x",
        ["DS18B20"] = "ds18b20",
        ["SCD30"] = "scd30",
        ["DNMS"] = "dnms",
    };

    /// <summary>Sensors by X-PIN, where types are bare. Every particle sensor says 1; the header does not tell which it is.</summary>
    private static readonly Dictionary<string, string> Pins = new(StringComparer.Ordinal)
    {
        ["1"] = "pm",
        ["3"] = "bmp",
        ["7"] = "dht22",
        ["11"] = "bme280",
        ["13"] = "ds18b20",
        ["15"] = "dnms",
    };

    /// <summary>P1 is PM10 and P2 is PM2.5, by history; P0 and P4 are what they say. Pressure is in Pa, whatever people see on their screens.</summary>
    private static readonly Dictionary<string, (string Property, string Unit)> Types = new(StringComparer.Ordinal)
    {
        ["P0"] = ("pm1", "ug/m3"),
        ["P1"] = ("pm10", "ug/m3"),
        ["P2"] = ("pm2_5", "ug/m3"),
        ["P4"] = ("pm4", "ug/m3"),
        ["temperature"] = ("temperature", "Cel"),
        ["humidity"] = ("relative_humidity", "%RH"),
        ["pressure"] = ("pressure", "Pa"),
        ["co2_ppm"] = ("co2", "ppm"),
        ["noise_LAeq"] = ("laeq", "dB"),
    };

    /// <summary>
    /// Known, and left out: counts and sizes of particles in units that differ between the sensors; minimum and maximum of DNMS, which are of short LAeq and not of the F
    /// time weighting that LAFmin and LAFmax mean; indices without a unit.
    /// </summary>
    private static readonly HashSet<string> TypesLeftOut = new(StringComparer.Ordinal)
    {
        "N01", "N03", "N05", "N1", "N25", "N4", "N5", "N10", "TS", "P01", "P03", "P05", "P5", "VOC", "NOX", "voc", "nox", "noise_LA_min", "noise_LA_max",
    };

    /// <summary>What the station says of itself.</summary>
    private static readonly HashSet<string> Station = new(StringComparer.Ordinal)
    {
        "samples", "min_micro", "max_micro", "interval", "GPS_lat", "GPS_lon", "GPS_height", "GPS_timestamp", "GPS_date", "GPS_time",
    };

    /// <summary>What the cheap particle counter PPD42NS says (X-PIN 5): particles in a volume, not their mass.</summary>
    private static readonly HashSet<string> Ppd = new(StringComparer.Ordinal) { "P1", "P2", "durP1", "durP2", "ratioP1", "ratioP2" };

    /// <summary>Finds a type.</summary>
    /// <param name="type">As sent.</param>
    /// <param name="pin">X-PIN, null when there was none.</param>
    /// <param name="target">Where it goes, when it is mapped.</param>
    public static AirrohrField Find(string type, string? pin, out FieldTarget target)
    {
        target = default;
        if (type == "signal")
        {
            target = new FieldTarget("station", "link_quality", "dBm");
            return AirrohrField.Mapped;
        }

        if (Station.Contains(type))
        {
            return AirrohrField.LeftOut;
        }

        var underscore = type.IndexOf('_', StringComparison.Ordinal);
        string? sensor;
        if (underscore > 0 && Prefixes.TryGetValue(type[..underscore], out sensor))
        {
            type = type[(underscore + 1)..];
        }
        else if (pin == "5")
        {
            return Ppd.Contains(type) ? AirrohrField.LeftOut : AirrohrField.Unknown;
        }
        else if (pin is not null)
        {
            sensor = Pins.GetValueOrDefault(pin);
        }
        else
        {
            // In one push for all sensors only the DHT22 has no name in front. A bare P1 would be of the PPD42NS, but could be anything.
            sensor = type is "temperature" or "humidity" ? "dht22" : null;
        }

        if (sensor is null)
        {
            return AirrohrField.Unknown;
        }

        if (Types.TryGetValue(type, out var mapped))
        {
            target = new FieldTarget(sensor, mapped.Property, mapped.Unit);
            return AirrohrField.Mapped;
        }

        return TypesLeftOut.Contains(type) ? AirrohrField.LeftOut : AirrohrField.Unknown;
    }
}
