using System.Globalization;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Buses;

/// <summary>Something found on the machine that an instrument may be, or hang on.</summary>
/// <param name="Bus">What it hangs on, for people: <c>I2C bus 1</c>, <c>serial port</c>, <c>sound card</c>, <c>SPI bus 0</c>, <c>GPIO chip</c>.</param>
/// <param name="Where">Address, device file or card, as the station file wants it.</param>
/// <param name="What">What answers, for people.</param>
/// <param name="Kinds">Kinds of sensor that it may be, best guess first; empty when none fits.</param>
/// <param name="Wiring">The <c>bus:</c> or other section for the station file, on one line; empty when there is nothing to write.</param>
public sealed record FoundInstrument(string Bus, string Where, string What, IReadOnlyList<string> Kinds, string Wiring);

/// <summary>
/// Looks what is on the machine's buses. Only reads: an I2C address is asked for one byte, as <c>i2cdetect -r</c> does; nothing is written to any part, and serial ports are not opened, because
/// another program may be speaking on them.
/// </summary>
/// <param name="buses">The machine's buses.</param>
/// <param name="root">Root of the file system; another one in tests.</param>
public sealed class BusInventory(IBuses buses, string root = "/")
{
    /// <summary>What <see cref="FoundInstrument.Bus"/> says of a serial port.</summary>
    public const string SerialPort = "serial port";

    private const int AddressFirst = 0x08;
    private const int AddressLast = 0x77;

    /// <summary>The inventory of the machine this runs on.</summary>
    /// <param name="time">Clock of the waits.</param>
    public static BusInventory OfThisMachine(TimeProvider time) => new(new LinuxBuses(time));

    /// <summary>What there is, in the order: I2C, SPI, serial ports, sound cards, GPIO. A bus that cannot be used is an entry that says why.</summary>
    /// <param name="cancellationToken">Ends the search between two addresses.</param>
    public IEnumerable<FoundInstrument> Find(CancellationToken cancellationToken) =>
        I2c(cancellationToken).Concat(Spi()).Concat(Serial()).Concat(SoundCards()).Concat(Gpio());

    private IEnumerable<FoundInstrument> I2c(CancellationToken cancellationToken)
    {
        foreach (int bus in Numbers("i2c-"))
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus}");
            var found = new List<FoundInstrument>();
            for (int address = AddressFirst; address <= AddressLast; address++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Ask(bus, address) is not { } answer)
                {
                    continue;
                }

                string where = string.Create(CultureInfo.InvariantCulture, $"0x{address:x2}");
                string[] kinds = answer.IsPart ? [.. SensorKinds.All.Where(kind => kind.Addresses.Contains(address)).OrderBy(kind => kind.Addresses.Count).Select(kind => kind.Name)] : [];
                found.Add(new FoundInstrument(
                    name, where, answer.What, kinds, answer.IsPart ? string.Create(CultureInfo.InvariantCulture, $$"""bus: { i2c: {{bus}}, address: "{{where}}" }""") : ""));
                if (!answer.IsPart)
                {
                    break;
                }
            }

            foreach (FoundInstrument one in found.Count > 0 ? found : [new FoundInstrument(name, "", "nothing answers", [], "")])
            {
                yield return one;
            }
        }
    }

    /// <summary>What an address says; null when nobody is there. What is no part is a fault of the whole bus.</summary>
    private (bool IsPart, string What)? Ask(int bus, int address)
    {
        try
        {
            using System.Device.I2c.I2cDevice device = buses.OpenI2c(bus, address);
            Span<byte> one = stackalloc byte[1];
            device.Read(one);
            return (true, "a part answers");
        }
        catch (IOException exception)
        {
            // 16: a driver of the kernel holds the address (a clock chip, a display); any other number: nobody answers.
            return exception.Message.Contains("Error 16", StringComparison.Ordinal) ? (true, "a part in use by a driver of the kernel") : null;
        }
        catch (SensorException exception)
        {
            return (false, exception.Message);
        }
    }

    private IEnumerable<FoundInstrument> Spi() =>
        from file in Files("dev", "spidev*")
        let parts = Path.GetFileName(file)["spidev".Length..].Split('.')
        where parts.Length == 2
        select new FoundInstrument(
            $"SPI bus {parts[0]}", $"chip select {parts[1]}", "an SPI bus does not tell whether anybody listens", [],
            $$"""bus: { spi: {{parts[0]}}, chipSelect: {{parts[1]}} }""");

    private IEnumerable<FoundInstrument> Serial()
    {
        string[] kinds = [.. SensorKinds.All.Where(kind => kind.IsSerial).Select(kind => kind.Name)];

        // A name that stays the same when adapters are swapped comes before the number that Linux happens to give.
        var known = new HashSet<string>(StringComparer.Ordinal);
        IEnumerable<string> ports = Files("dev/serial/by-id", "*").Concat(Files("dev", "serial[0-9]")).Concat(Files("dev", "ttyUSB*")).Concat(Files("dev", "ttyACM*")).Concat(Files("dev", "ttyAMA*"));
        foreach (string port in ports)
        {
            string target = new FileInfo(port).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? port;
            if (known.Add(target))
            {
                string where = "/" + Path.GetRelativePath(root, port);
                string what = target == port ? "a serial port" : $"a serial port ({Path.GetFileName(target)})";
                yield return new FoundInstrument(SerialPort, where, what, kinds, $$"""bus: { serial: {{where}} }""");
            }
        }
    }

    private IEnumerable<FoundInstrument> SoundCards()
    {
        string file = Path.Combine(root, "proc/asound/cards");
        if (!File.Exists(file))
        {
            yield break;
        }

        // " 1 [sndrpigooglevoi]: simple-card - snd_rpi_googlevoicehat_soundcar", with a second line of no use here.
        foreach (string line in File.ReadLines(file))
        {
            int open = line.IndexOf('[', StringComparison.Ordinal);
            int close = line.IndexOf(']', StringComparison.Ordinal);
            if (open > 0 && close > open && int.TryParse(line.AsSpan(0, open), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out _))
            {
                string card = line[(open + 1)..close].Trim();
                bool records = Directory.Exists(Path.Combine(root, "proc/asound", card)) && Directory.GetDirectories(Path.Combine(root, "proc/asound", card), "pcm*c").Length > 0;
                yield return new FoundInstrument(
                    "sound card", $"hw:CARD={card}", records ? line[(close + 1)..].TrimStart(':', ' ') : "plays only, no microphone", records ? [SensorOptions.KindMicrophone] : [],
                    records ? $$"""microphone: { device: "hw:CARD={{card}}" }""" : "");
            }
        }
    }

    private IEnumerable<FoundInstrument> Gpio() =>
        Files("dev", "gpiochip*").Select(chip => new FoundInstrument("GPIO chip", "/" + Path.GetRelativePath(root, chip), "lines for contacts and pulses, by their BCM numbers", [], "bus: { pins: [17] }"));

    private IEnumerable<int> Numbers(string prefix) =>
        Files("dev", prefix + "*").Select(file => Path.GetFileName(file)[prefix.Length..])
            .Where(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(text => int.Parse(text, CultureInfo.InvariantCulture)).Order();

    private IEnumerable<string> Files(string folder, string pattern)
    {
        string path = Path.Combine(root, folder);
        if (!Directory.Exists(path))
        {
            return [];
        }

        // .NET has no [0-9] in patterns.
        bool digits = pattern.EndsWith("[0-9]", StringComparison.Ordinal);
        string plain = digits ? pattern[..^"[0-9]".Length] + "*" : pattern;
        return Directory.EnumerateFileSystemEntries(path, plain)
            .Where(file => !digits || char.IsAsciiDigit(file[^1])).Where(file => !Directory.Exists(file)).Order(StringComparer.Ordinal);
    }
}
