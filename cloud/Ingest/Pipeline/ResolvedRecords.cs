using System.Globalization;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary>
/// Cuts refused records out of their pack as packs of their own. What the pack said for them beforehand is written into them: the base name before the name, the base
/// time added to the time, the base unit where there is none; a relative time is fixed to the moment of arrival. So a record can be released later, and the same
/// record sent again in another pack becomes the same bytes. Everything else stays as the sender wrote it, mistakes included. (RFC 8428, 4.6, resolved records.)
/// </summary>
internal static class ResolvedRecords
{
    /// <summary>Times below this many seconds are relative to the moment of arrival (RFC 8428, 4.5.3).</summary>
    private const decimal RelativeBelow = 268_435_456m;

    /// <summary>Cuts out the records at the given indexes.</summary>
    /// <param name="payload">The pack.</param>
    /// <param name="format">Its encoding.</param>
    /// <param name="receivedAt">UTC instant of arrival.</param>
    /// <param name="wanted">0-based indexes, ascending.</param>
    /// <returns>A pack of one record for each index that could be reached and read; the pack may break off before the others.</returns>
    public static Dictionary<int, byte[]> Cut(ReadOnlyMemory<byte> payload, PackFormat format, DateTime receivedAt, IReadOnlyList<int> wanted) =>
        format == PackFormat.Cbor ? ResolvedCbor.Cut(payload, receivedAt, wanted) : ResolvedJson.Cut(payload, receivedAt, wanted);

    /// <summary>Base time plus time in seconds since 1970, fixed to the moment of arrival; null when the sum is out of range.</summary>
    public static decimal? Time(decimal baseTime, decimal time, DateTime receivedAt)
    {
        try
        {
            var sum = baseTime + time;
            if (Math.Abs(sum) < RelativeBelow)
            {
                sum += (decimal)(receivedAt - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
            }

            // Dividing by one with 28 places strips trailing zeros, so that 10.50 and 10.5 are the same text.
            return decimal.Round(sum, 6) / 1.0000000000000000000000000000m;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>Reads a number as decimal; false when it is out of range.</summary>
    public static bool TryDecimal(double value, out decimal number)
    {
        number = 0;
        if (!(Math.Abs(value) < 1e15))
        {
            return false;
        }

        number = decimal.Parse(value.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
        return true;
    }
}
