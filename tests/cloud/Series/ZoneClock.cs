using System.Buffers.Binary;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The local clock of a zone as the time zone database has it, read from the machine's compiled file (RFC 8536) without the framework: instants in seconds since 1970.</summary>
internal sealed class ZoneClock
{
    private const string Folder = "/usr/share/zoneinfo";

    /// <summary>The span in which clocks are compared; compiled files name each change until 2037.</summary>
    public static readonly long From = Seconds(2000, 1);

    public static readonly long To = Seconds(2037, 1);

    private readonly long[] _instants;
    private readonly long[] _offsets;

    private ZoneClock(TimeZoneInfo zone, long[] instants, long[] offsets)
    {
        Zone = zone;
        _instants = instants;
        _offsets = offsets;
        Changes = [.. Enumerable.Range(1, Math.Max(0, instants.Length - 1)).Where(i => offsets[i] != offsets[i - 1] && instants[i] >= From && instants[i] < To).Select(i => instants[i])];
    }

    /// <summary>The same zone as the framework has it.</summary>
    public TimeZoneInfo Zone { get; }

    /// <summary>Instants from 2000 to 2036 from which the clock has another offset.</summary>
    public IReadOnlyList<long> Changes { get; }

    /// <summary>Offset of the local clock at an instant, seconds east of UTC.</summary>
    public long Offset(long instant) => _offsets[Run(instant)];

    /// <summary>Number of the run of constant rules that holds an instant.</summary>
    public int Run(long instant)
    {
        var at = Array.BinarySearch(_instants, instant);
        return at >= 0 ? at : Math.Max(0, ~at - 1);
    }

    /// <summary>Every zone of the machine.</summary>
    public static ZoneClock[] All()
    {
        Assert.SkipUnless(Directory.Exists(Folder), $"There are no compiled time zones in {Folder} (apt install tzdata).");
        ZoneClock[] all = [.. TimeZoneInfo.GetSystemTimeZones().Where(zone => File.Exists(Path.Combine(Folder, zone.Id))).Select(Of)];
        Assert.SkipUnless(all.Any(clock => clock.Zone.Id == "Europe/Lisbon" && clock.Changes.Count == 74), "The compiled time zones leave the changes of today's rules out (zic -b slim).");
        return all;
    }

    public static ZoneClock Of(TimeZoneInfo zone)
    {
        var file = File.ReadAllBytes(Path.Combine(Folder, zone.Id)).AsSpan();
        Assert.True(file.StartsWith("TZif"u8) && file[4] >= (byte)'2', $"{zone.Id} is no compiled time zone of version 2 or later.");

        // The block of version 1 stands first: passed over.
        file = file[Length(file, 4)..];
        var (times, types) = (Number(file, 32), Number(file, 36));
        var indices = file.Slice(44 + (8 * times), times);
        var offsets = file.Slice(44 + (9 * times), 6 * types);
        var instants = new List<long> { long.MinValue };
        var values = new List<long> { BinaryPrimitives.ReadInt32BigEndian(offsets) };
        for (var i = 0; i < times; i++)
        {
            instants.Add(BinaryPrimitives.ReadInt64BigEndian(file[(44 + (8 * i))..]));
            values.Add(BinaryPrimitives.ReadInt32BigEndian(offsets[(6 * indices[i])..]));
        }

        return new ZoneClock(zone, [.. instants], [.. values]);
    }

    private static int Length(ReadOnlySpan<byte> block, int timeBytes) =>
        44 + (Number(block, 32) * (timeBytes + 1)) + (Number(block, 36) * 6) + Number(block, 40) + (Number(block, 28) * (timeBytes + 4)) + Number(block, 24) + Number(block, 20);

    private static int Number(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadInt32BigEndian(block[at..]);

    private static long Seconds(int year, int month) => (long)(new DateTime(year, month, 1, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).TotalSeconds;
}
