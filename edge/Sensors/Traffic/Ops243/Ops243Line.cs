using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Hub.Edge.Sensors.Traffic.Ops243;

/// <summary>
/// What one line of an OPS243 says (application note AN-010, API interface): speeds, as plain numbers or in either JSON form, or answers to commands. One caller at a time;
/// <see cref="TryParse"/> overwrites what the line before said.
/// </summary>
internal sealed class Ops243Line
{
    /// <summary>Most speeds of one line; the radar gives up to nine.</summary>
    public const int SpeedsMax = 9;

    // Past the fastest that any sampling rate of the part can tell from noise.
    private const double SpeedMax = 100;

    private readonly double[] speeds = new double[SpeedsMax];
    private double factor = 1;

    /// <summary>Metres a second, positive when inbound; the radar's zero ("nothing moves") is in it as 0.</summary>
    public ReadOnlySpan<double> Speeds => speeds.AsSpan(0, Count);

    /// <summary>How many speeds.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the line was JSON.</summary>
    public bool IsJson { get; private set; }

    /// <summary>Unit that the line names, in the radar's words; null when it names none.</summary>
    public string? Unit { get; private set; }

    /// <summary>Whether the unit named is metres a second.</summary>
    public bool IsMetresPerSecond => Unit is not null && factor == 1;

    /// <summary>Product, e.g. <c>OPS243-A</c>, of an answer.</summary>
    public string? Product { get; private set; }

    /// <summary>Samples a second, of an answer.</summary>
    public int? SamplingRate { get; private set; }

    /// <summary>Samples of a report, of an answer.</summary>
    public int? SampleSize { get; private set; }

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line without its end; ASCII.</param>
    /// <returns>False for what is neither a speed nor an answer: a torn line, noise.</returns>
    public bool TryParse(ReadOnlySpan<byte> line)
    {
        (Count, IsJson, Unit, Product, SamplingRate, SampleSize, factor) = (0, false, null, null, null, null, 1);
        line = line.Trim(" \t\0"u8);
        if (line.IsEmpty)
        {
            return false;
        }

        bool good = line[0] == (byte)'{' ? TryJson(line) : TryPlain(line);
        if (good)
        {
            for (int index = 0; index < Count; index++)
            {
                speeds[index] *= factor;
                good &= double.IsFinite(speeds[index]) && Math.Abs(speeds[index]) <= SpeedMax;
            }
        }

        if (!good)
        {
            Count = 0;
        }

        return good;
    }

    // Fields by commas, the speed last: "-12.3", or with unit, time or magnitude before it.
    private bool TryPlain(ReadOnlySpan<byte> line)
    {
        bool first = true;
        double speed = 0;
        foreach (Range range in line.Split((byte)','))
        {
            ReadOnlySpan<byte> field = line[range].Trim(" \""u8);
            if (!TryNumber(field, out speed))
            {
                if (!first || !TryUnit(Encoding.ASCII.GetString(field)))
                {
                    return false;
                }

                speed = double.NaN;
            }

            first = false;
        }

        speeds[0] = speed;
        Count = 1;
        return true;
    }

    private bool TryJson(ReadOnlySpan<byte> line)
    {
        IsJson = true;
        int? direction = null;
        try
        {
            var reader = new Utf8JsonReader(line);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string key = reader.GetString()!;
                reader.Read();
                switch (key)
                {
                    case "speed" or "DetectedObjectVelocity":
                        if (!TrySpeeds(ref reader))
                        {
                            return false;
                        }

                        break;
                    case "direction":
                        direction = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("inbound"u8) ? 1
                            : reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("outbound"u8) ? -1 : null;
                        break;
                    case "unit" or "units" or "Unit" or "Units" or "SpeedUnits":
                        if (reader.TokenType != JsonTokenType.String || !TryUnit(reader.GetString()!))
                        {
                            return false;
                        }

                        break;
                    case "Product":
                        Product = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                        break;
                    case "SamplingRate":
                        SamplingRate = Whole(ref reader);
                        break;
                    case "SampleSize":
                        SampleSize = Whole(ref reader);
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            // A line cut in the middle, or two run together, is not a value.
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            {
                return false;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }

        if (direction is { } sign)
        {
            for (int index = 0; index < Count; index++)
            {
                speeds[index] = sign * Math.Abs(speeds[index]);
            }
        }

        return true;
    }

    private bool TrySpeeds(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return TrySpeed(ref reader);
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!TrySpeed(ref reader))
            {
                return false;
            }
        }

        return true;
    }

    // A number, or a number in quotes: the firmware writes either.
    private bool TrySpeed(ref Utf8JsonReader reader)
    {
        double speed;
        bool good = reader.TokenType switch
        {
            JsonTokenType.Number => reader.TryGetDouble(out speed),
            JsonTokenType.String when !reader.HasValueSequence => TryNumber(reader.ValueSpan, out speed),
            _ => (speed = double.NaN) == 0,
        };
        if (!good || Count == SpeedsMax)
        {
            return false;
        }

        speeds[Count++] = speed;
        return true;
    }

    private static int? Whole(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt32(out int number) => number,
        JsonTokenType.String when int.TryParse(reader.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out int number) => number,
        _ => null,
    };

    private static bool TryNumber(ReadOnlySpan<byte> text, out double number) =>
        Utf8Parser.TryParse(text, out number, out int used) && used == text.Length && double.IsFinite(number);

    private bool TryUnit(string unit)
    {
        // In reports and in the answer to U? (user manual UM-003-A, "Speed Output Units"), the words differ.
        factor = unit.ToUpperInvariant() switch
        {
            "MPS" or "M-PER-SEC" or "M/S" or "M-S" or "UM" => 1,
            "KPH" or "KM-PER-HR" or "KMPH" or "KM/H" or "KMH" or "UK" => 1 / 3.6,
            "MPH" or "US" => 0.44704,
            "FPS" or "FT-PER-SEC" or "FT/S" or "UF" => 0.3048,
            "CMPS" or "CM-PER-SEC" or "CM/S" or "UC" => 0.01,
            _ => 0,
        };
        Unit = unit;
        return factor > 0;
    }
}
