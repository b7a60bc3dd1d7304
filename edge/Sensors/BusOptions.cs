using System.Globalization;

namespace Hub.Edge.Sensors;

/// <summary>Where a device is wired to. Bound from <c>bus:</c> of a sensor in the station file; which keys are needed depends on its kind.</summary>
public sealed class BusOptions
{
    /// <summary>Serial device file, e.g. <c>/dev/serial0</c> or <c>/dev/serial/by-id/usb-...</c> (which stays the same when ports are swapped).</summary>
    public string? Serial { get; set; }

    /// <summary>Serial rate; default the kind's own.</summary>
    public int? BaudRate { get; set; }

    /// <summary>Number of the I2C bus: 1 is <c>/dev/i2c-1</c>.</summary>
    public int? I2c { get; set; }

    /// <summary>7-bit I2C address, e.g. <c>0x76</c>; default the kind's own.</summary>
    public string? Address { get; set; }

    /// <summary>Number of the SPI bus: 0 is <c>/dev/spidev0.x</c>.</summary>
    public int? Spi { get; set; }

    /// <summary>SPI chip select; default 0.</summary>
    public int ChipSelect { get; set; }

    /// <summary>GPIO lines by their BCM number, in the order that the kind's documentation gives.</summary>
    public IList<int> Pins { get; } = [];

    /// <summary>The I2C address.</summary>
    /// <param name="standard">Address when none is given.</param>
    /// <param name="address">0x08 to 0x77.</param>
    public bool TryAddress(int standard, out int address)
    {
        address = standard;
        return Address is null || ((Address.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? int.TryParse(Address.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address)
            : int.TryParse(Address, NumberStyles.None, CultureInfo.InvariantCulture, out address)) && address is >= 0x08 and <= 0x77);
    }
}
