using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox.Tests;

internal static class Sample
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] Properties = ["pm2_5", "no2", "laeq", "vehicle_count"];

    public static readonly Gen<Reading> Any =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Long[0, 250_000_000_000_000_000], Gen.Double[-1e9, 1e9], Gen.Int[0, 511], Gen.Int[0, 90_000], Gen.Int[0, 7], Gen.Int[0, int.MaxValue])
            .Select((sensor, property, micros, value, quality, period, optional, number) =>
                new Reading($"s{sensor}", Properties[property], new DateTime(micros * 10, DateTimeKind.Utc), value)
                {
                    Quality = (Quality)quality,
                    Period = TimeSpan.FromSeconds(period),
                    Raw = (optional & 1) != 0 ? value / 2 : null,
                    Calibration = (optional & 1) != 0 ? number : 0,
                    Coverage = (optional & 2) != 0 ? 0.75 : null,
                    Revision = (optional & 4) != 0 ? number : 0,
                });

    /// <summary>Reading number n: its value and time say so, so that a wrong one is seen.</summary>
    public static Reading Numbered(long n) =>
        new("air", Properties[n % 4], Start.UtcDateTime.AddSeconds(n), n) { Period = TimeSpan.FromSeconds(60), Quality = (Quality)(n % 3) };

    public static Reading[] Numbered(long from, int count) => [.. Enumerable.Range(0, count).Select(i => Numbered(from + i))];

    public static SourceCursor Cursor(long n, string source = "air") => new(source, System.Text.Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)));

    public static long Number(ReadOnlyMemory<byte> cursor) =>
        cursor.IsEmpty ? 0 : long.Parse(System.Text.Encoding.UTF8.GetString(cursor.Span), CultureInfo.InvariantCulture);

    /// <summary>Everything held, from the head on, in batches of the given size.</summary>
    public static async Task<List<(long Sequence, Reading Reading)>> DrainAsync(IOutbox outbox, int countMax = 7)
    {
        var all = new List<(long, Reading)>();
        var from = outbox.Head;
        while (all.Count < outbox.Counters.Held)
        {
            var batch = await outbox.ReadAsync(from, countMax, TestContext.Current.CancellationToken).AsTask().WaitAsync(Hub.Tests.Kit.Eventually.Limit);
            Assert.Equal(batch.Until - batch.From, batch.Readings.Count);
            Assert.True(batch.From >= from, "A batch began before what was asked for.");
            all.AddRange(batch.Readings.Select((reading, i) => (batch.From + i, reading)));
            from = batch.Until;
        }

        return all;
    }

    public static void AddUp(OutboxCounters c)
    {
        Assert.Equal(c.Taken, c.Released + c.Held + c.DroppedFull + c.DroppedAge + c.DroppedDamaged + c.DroppedExpired);
        Assert.True(c.Taken >= 0 && c.Released >= 0 && c.Held >= 0 && c.DroppedFull >= 0 && c.DroppedAge >= 0 && c.DroppedDamaged >= 0 && c.DroppedExpired >= 0 && c.Refused >= 0 && c.Refused <= c.Released, $"{c}");
    }

    public static void CopyFolder(string from, string to)
    {
        while (!TryCopyFolder(from, to))
        {
            // The outbox went on so far meanwhile that a file is gone: what was copied is of no one moment.
            Directory.Delete(to, recursive: true);
        }
    }

    private static bool TryCopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);

        // In the order in which the outbox makes them durable: what says that readings are gone before the readings.
        foreach (var path in Directory.GetFiles(from).Where(path => !path.EndsWith("lock", StringComparison.Ordinal))
                     .OrderBy(path => path.EndsWith(".seg", StringComparison.Ordinal)).ThenBy(path => path, StringComparer.Ordinal))
        {
            try
            {
                using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using var target = File.Create(Path.Combine(to, Path.GetFileName(path)));
                source.CopyTo(target);
            }
            catch (FileNotFoundException)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Waits until what was gathered and is to be written is on disk: the power goes in one moment, and a copy of the files takes several.</summary>
    public static Task StillAsync(FileOutbox outbox) => Hub.Tests.Kit.Eventually.TrueAsync(() => !outbox.WriteIsDue, "the outbox has written what it gathered");
}
