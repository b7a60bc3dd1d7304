using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>A part that speaks in Sensirion's words: 16-bit commands, data with CRCs.</summary>
internal abstract class SimulatedSensirionPart : SimulatedI2cPart
{
    private byte[]? answer;

    /// <summary>True to send every word with a wrong CRC.</summary>
    public bool Damaged { get; set; }

    /// <summary>True while somebody else has the bus.</summary>
    public bool Busy { get; set; }

    /// <summary>Commands in the order they came.</summary>
    public List<int> Commands { get; } = [];

    public override void OnWrite(ReadOnlySpan<byte> bytes)
    {
        ThrowIfBusy();
        ushort command = SensirionWords.Word(bytes, 0);
        var words = new byte[(bytes.Length - 2) / 3 * 2];
        Assert.True(SensirionWords.TryDecode(bytes[2..], words), "the driver sent a wrong CRC");
        Commands.Add(command);
        answer = OnCommand(command, [.. Enumerable.Range(0, words.Length / 2).Select(index => SensirionWords.Word(words, index))]);
    }

    public override void OnRead(Span<byte> bytes)
    {
        ThrowIfBusy();
        if (answer is null)
        {
            throw new IOException("Error 121 performing I2C data transfer.");
        }

        for (int index = 0; index < bytes.Length; index += 3)
        {
            ReadOnlySpan<byte> word = index / 3 * 2 < answer.Length ? answer.AsSpan(index / 3 * 2, 2) : [0xFF, 0xFF];
            word.CopyTo(bytes[index..]);
            bytes[index + 2] = (byte)(SensirionWords.Crc(word) ^ (Damaged ? 0x10 : 0));
        }
    }

    /// <summary>A command; what it says to it, two bytes a word, or null for nothing.</summary>
    protected abstract byte[]? OnCommand(int command, ushort[] words);

    protected static byte[] Words(params int[] words) => [.. words.SelectMany(word => new[] { (byte)(word >> 8), (byte)word })];

    private void ThrowIfBusy()
    {
        if (Busy)
        {
            throw new IOException("Error 16 performing I2C data transfer.");
        }
    }
}

/// <summary>Some other part at the address: takes everything, and its data line stays high.</summary>
internal sealed class OtherPart : SimulatedI2cPart
{
    public override void OnWrite(ReadOnlySpan<byte> bytes)
    {
    }

    public override void OnRead(Span<byte> bytes) => bytes.Fill(0xFF);
}
