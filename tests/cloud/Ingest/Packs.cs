using System.Globalization;
using System.Text;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Hand-written packs.</summary>
internal static class Packs
{
    /// <summary>2024-07-01 00:00 UTC, seconds since 1970.</summary>
    public const long Start = 1_719_792_000;

    /// <summary>Good records: temperature of sensor bme280 at one-minute steps from <paramref name="first"/>.</summary>
    public static byte[] Temperatures(int count, int first = 0, string sensor = "bme280") =>
        Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(first, count).Select(i => Temperature(i, sensor))) + "]");

    public static string Temperature(int i, string sensor = "bme280") =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"n":"{{sensor}}/temperature","u":"Cel","t":{{Start + (i * 60)}},"v":{{10 + (i % 20)}}}""");

    /// <summary>Five records of which the third has an unknown quantity.</summary>
    public static byte[] FourGoodOneBad(int first = 0) => Encoding.UTF8.GetBytes(
        $$"""[{{Temperature(first)}},{{Temperature(first + 1)}},{"n":"bme280/happiness","u":"Cel","t":{{Start + first}},"v":7},{{Temperature(first + 2)}},{{Temperature(first + 3)}}]""");

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static ArrivedPack Arrived(Station station, byte[] payload, string transport = "test", PackFormat? format = PackFormat.Json, DateTime? at = null) =>
        new(station, format, payload, at ?? DateTime.UnixEpoch.AddSeconds(Start + 86_400), transport);
}
