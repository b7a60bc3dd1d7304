using CsCheck;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The encodings of pages: any values, taken in any pieces, come back; damaged bytes are refused and never read beyond their buffer.</summary>
public sealed class PartEncodingTests
{
    private static readonly Gen<long> AnyLong = Gen.Frequency((4, Gen.Long[-300, 300]), (2, Gen.Long), (1, One(long.MinValue, long.MaxValue, 0, -1)));

    private static readonly Gen<long> AnyInt = Gen.Frequency((4, Gen.Long[-300, 300]), (2, Gen.Int.Select(value => (long)value)), (1, One<long>(int.MinValue, int.MaxValue, 0, -1)));

    [Fact]
    public void Differences_come_back_in_any_pieces()
    {
        Gen.Select(Gen.Bool, Gen.Bool).SelectMany((isWide, inBytes) =>
            Gen.Select(Gen.Const(isWide), Gen.Const(inBytes), Runs(isWide ? AnyLong : AnyInt), Gen.Int[1, 900].Array[1, 40])).Sample(
            (isWide, inBytes, values, pieces) =>
            {
                var type = isWide ? PartType.Int64 : PartType.Int32;
                var buffer = new byte[DeltaEncoder.BytesMax(values.Length) + DeltaDecoder.Slack];
                var length = DeltaEncoder.Encode(values, type, inBytes ? DeltaPacking.Bytes : DeltaPacking.Bits, buffer);
                Assert.InRange(length, 0, buffer.Length - DeltaDecoder.Slack);
                buffer.AsSpan(length).Fill(0xA5);
                var decoder = new DeltaDecoder(buffer, length, values.Length);
                var row = 0;
                for (var piece = 0; row < values.Length; piece++)
                {
                    var count = Math.Min(pieces[piece % pieces.Length], values.Length - row);
                    if (piece % 2 == pieces.Length % 2)
                    {
                        decoder.Skip(count);
                    }
                    else
                    {
                        var target = new long[count];
                        decoder.Read(target);
                        for (var i = 0; i < count; i++)
                        {
                            Assert.Equal(values[row + i], isWide ? target[i] : (int)target[i]);
                        }
                    }

                    row += count;
                }

                Assert.True(decoder.IsAtEnd);
            },
            iter: 2000);
    }

    [Fact]
    public void One_value_comes_back_as_often_as_it_was_written()
    {
        Gen.Select(AnyLong, Gen.Int[0, 5000]).Sample(
            (value, count) =>
            {
                var buffer = new byte[DeltaEncoder.ConstantBytesMax(count) + DeltaDecoder.Slack];
                var length = DeltaEncoder.EncodeConstant(value, count, buffer.AsSpan(0, buffer.Length - DeltaDecoder.Slack));
                var values = new long[count];
                var decoder = new DeltaDecoder(buffer, length, count);
                decoder.Read(values);
                Assert.True(decoder.IsAtEnd);
                Assert.True(values.All(v => v == value));
            },
            iter: 500);
    }

    [Fact]
    public void A_datastream_is_found_where_it_stands()
    {
        var counts = Gen.Select(Gen.Int, Gen.Select(Gen.Frequency((3, Gen.Int[1, 3]), (1, Gen.Int[1, int.MaxValue])), Gen.Int[1, 200]).Array[1, 30]);
        counts.Sample(
            (first, runs) =>
            {
                List<long> values = [];
                long datastream = first;
                foreach (var (step, count) in runs)
                {
                    values.AddRange(Enumerable.Repeat(datastream, count));
                    datastream += step;
                    if (datastream > int.MaxValue)
                    {
                        break;
                    }
                }

                var buffer = new byte[DeltaEncoder.BytesMax(values.Count) + DeltaDecoder.Slack];
                var length = DeltaEncoder.Encode(values.ToArray(), PartType.Int32, DeltaPacking.Bits, buffer);
                foreach (var wanted in values.Distinct().SelectMany(v => (long[])[v - 1, v, v + 1]).Distinct().Where(v => v is >= int.MinValue and <= int.MaxValue))
                {
                    var (start, end) = new DeltaDecoder(buffer, length, values.Count).Find((int)wanted, (int)wanted);
                    var expected = values.IndexOf(wanted);
                    Assert.Equal(expected < 0 ? (0, 0) : (expected, values.LastIndexOf(wanted) + 1), (start, end));
                }
            },
            iter: 500);
    }

    [Fact]
    public void Damaged_differences_are_refused_or_are_other_numbers()
    {
        Gen.Select(Runs(AnyLong), Gen.Bool, Gen.Int, Gen.Byte, Gen.Int[0, 40]).Sample(
            (values, inBytes, place, value, cut) =>
            {
                var buffer = new byte[DeltaEncoder.BytesMax(values.Length) + DeltaDecoder.Slack];
                var length = DeltaEncoder.Encode(values, PartType.Int64, inBytes ? DeltaPacking.Bytes : DeltaPacking.Bits, buffer);
                buffer[(int)((uint)place % (uint)length)] = value;
                var exact = buffer[..(Math.Max(0, length - cut) + DeltaDecoder.Slack)];
                try
                {
                    new DeltaDecoder(exact, exact.Length - DeltaDecoder.Slack, values.Length).Read(new long[values.Length]);
                    new DeltaDecoder(exact, exact.Length - DeltaDecoder.Slack, values.Length).Skip(values.Length);
                    _ = new DeltaDecoder(exact, exact.Length - DeltaDecoder.Slack, values.Length).Find(5, 5);
                }
                catch (InvalidDataException error)
                {
                    Assert.NotEmpty(error.Message);
                }
            },
            iter: 5000);
    }

    [Fact]
    public void Levels_come_back_and_damaged_ones_are_refused_or_counted_right()
    {
        var runs = Gen.Select(Gen.Bool, Gen.Frequency((2, Gen.Int[1, 12]), (1, Gen.Int[1, 300]))).Array[1, 60];
        Gen.Select(runs, Gen.Int, Gen.Byte).Sample(
            (parts, place, value) =>
            {
                byte[] levels = [.. parts.SelectMany(part => Enumerable.Repeat(part.Item1 ? (byte)1 : (byte)0, part.Item2))];
                var buffer = new byte[PartFormat.LevelBytesMax(levels.Length)];
                var length = LevelRuns.Encode(levels, buffer);
                var decoded = new byte[levels.Length];
                Assert.Equal(levels.Sum(level => level), LevelRuns.Decode(buffer.AsSpan(0, length), decoded));
                Assert.Equal(levels, decoded);
                buffer[(int)((uint)place % (uint)length)] = value;
                try
                {
                    Assert.Equal(LevelRuns.Decode(buffer.AsSpan(0, length), decoded), decoded.Sum(level => level));
                }
                catch (InvalidDataException error)
                {
                    Assert.NotEmpty(error.Message);
                }
            },
            iter: 3000);
    }

    [Fact]
    public void Decimals_are_the_fewest_that_give_back_the_same_bits()
    {
        var value = Gen.Frequency(
            (4, Gen.Select(Gen.Int[-2_000_000_000, 2_000_000_000], Gen.Int[0, 9], (whole, decimals) => whole / Math.Pow(10, decimals))),
            (2, Gen.Double),
            (1, One(0.0, -0.0, double.NaN, double.PositiveInfinity, double.MaxValue, double.Epsilon, 9007199254740992, 0.1 + 0.2)));
        Gen.Select(value.Array[1, 6], Gen.Bool).Sample(
            (values, passNaN) =>
            {
                var scaled = new long[values.Length];
                var decimals = DecimalScale.Scale(values, passNaN, scaled);
                for (var fewer = 0; fewer < (decimals < 0 ? 10 : decimals); fewer++)
                {
                    Assert.Contains(values, v => !(passNaN && double.IsNaN(v)) && !Fits(v, fewer));
                }

                for (var i = 0; decimals >= 0 && i < values.Length; i++)
                {
                    if (!double.IsNaN(values[i]))
                    {
                        Assert.Equal(BitConverter.DoubleToInt64Bits(values[i]), BitConverter.DoubleToInt64Bits(scaled[i] / Math.Pow(10, decimals)));
                    }
                }
            },
            iter: 5000);
    }

    /// <summary>By exact decimal arithmetic where that reaches, by the nearest whole numbers otherwise.</summary>
    private static bool Fits(double value, int decimals)
    {
        var power = Math.Pow(10, decimals);
        var near = Math.Round(value * power);
        return Math.Abs(near) <= 1L << 53 && BitConverter.DoubleToInt64Bits((long)near / power) == BitConverter.DoubleToInt64Bits(value);
    }

    private static Gen<T> One<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<long[]> Runs(Gen<long> value) =>
        Gen.Select(value, Gen.Frequency((3, Gen.Const(1)), (1, Gen.Int[1, 400]))).Array[1, 60].Select(runs => runs.SelectMany(run => Enumerable.Repeat(run.Item1, run.Item2)).ToArray());
}
