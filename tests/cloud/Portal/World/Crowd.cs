using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Many more stations than a <see cref="City"/> has: for what only shows with thousands.</summary>
internal static class Crowd
{
    /// <summary>Adds stations of Braga in rows, each with a day of quarter hours of PM2.5 that ends now; every seventh has none.</summary>
    /// <param name="city">To which.</param>
    /// <param name="count">How many.</param>
    public static void Fill(City city, int count)
    {
        var quarter = TimeSpan.FromMinutes(15);
        var end = new DateTime(city.Now.Ticks / quarter.Ticks * quarter.Ticks, DateTimeKind.Utc) - quarter;
        List<Observation> all = [];
        for (var i = 0; i < count; i++)
        {
            var station = city.Stations.Add(new(0, "braga", $"rua-{i}", $"Rua {i}", 41.50 + (i / 50 * 0.0022), -8.48 + (i % 50 * 0.0026), Public: true, ""));
            var datastream = city.Stations.Add(station, "sds011-1", City.Pm25, quarter);
            for (var step = 0; step < 97 && i % 7 != 6; step++)
            {
                all.Add(new(datastream.Id, end - (step * quarter), Math.Round(30 + (28 * Math.Sin((i * 0.13) + (step * 0.07))), 1), Quality.Good));
            }
        }

        city.Series.AppendAsync(all.ToArray(), CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }
}
