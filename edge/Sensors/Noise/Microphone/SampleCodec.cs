using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>Bytes of a sound card to numbers of which full scale is 1. Exact: 32 bits fit a double.</summary>
internal static class SampleCodec
{
    /// <summary>Bytes of one sample of one channel.</summary>
    public static int BytesOf(SoundFormat format) => format switch
    {
        SoundFormat.S24Packed => 3,
        SoundFormat.S16 => 2,
        _ => 4,
    };

    /// <summary>Takes one channel out of interleaved frames.</summary>
    /// <param name="bytes">Whole frames.</param>
    /// <param name="format">Format of a sample.</param>
    /// <param name="channels">Channels in a frame.</param>
    /// <param name="channel">Which one, from 0.</param>
    /// <param name="samples">One number for each frame.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, SoundFormat format, int channels, int channel, Span<double> samples)
    {
        switch (format)
        {
            case SoundFormat.S32:
                ReadOnlySpan<int> whole = MemoryMarshal.Cast<byte, int>(bytes);
                for (int n = 0; n < samples.Length; n++)
                {
                    samples[n] = Native(whole[(n * channels) + channel]) * (1.0 / 2_147_483_648);
                }

                break;
            case SoundFormat.S24:
                ReadOnlySpan<int> low = MemoryMarshal.Cast<byte, int>(bytes);
                for (int n = 0; n < samples.Length; n++)
                {
                    // The top byte is padding, not always the sign.
                    samples[n] = ((Native(low[(n * channels) + channel]) << 8) >> 8) * (1.0 / 8_388_608);
                }

                break;
            case SoundFormat.S24Packed:
                for (int n = 0; n < samples.Length; n++)
                {
                    ReadOnlySpan<byte> three = bytes.Slice(((n * channels) + channel) * 3, 3);
                    samples[n] = ((three[0] << 8 | three[1] << 16 | three[2] << 24) >> 8) * (1.0 / 8_388_608);
                }

                break;
            case SoundFormat.S16:
                ReadOnlySpan<short> half = MemoryMarshal.Cast<byte, short>(bytes);
                for (int n = 0; n < samples.Length; n++)
                {
                    short value = half[(n * channels) + channel];
                    samples[n] = (BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value)) * (1.0 / 32_768);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "Not a sound format.");
        }
    }

    private static int Native(int value) => BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
}
