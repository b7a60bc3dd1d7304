using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Months behind a <see cref="City"/>'s day, for the pages about air, noise and traffic; by formula, so that a test can say what they show.</summary>
internal static class Past
{
    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Half = TimeSpan.FromMinutes(30);

    /// <summary>Adds to Braga: a year, or so many days, of half hours with wind at Avenida Central, eight weeks, or so many days, of minutes of sound at Largo da Sé, nine weeks of quarter hours of traffic with classes and V85 at Rodovia.</summary>
    public static void Fill(City city, int airDays = 360, int noiseDays = 57)
    {
        var now = city.Now;
        Assert.True(city.Stations.TryGet("braga", "avenida-central", out var air));
        Assert.True(city.Stations.TryGet("braga", "rodovia", out var road));
        var begin = now.Date.AddDays(-airDays);
        var end = now.Date.AddDays(-1).AddHours(6);
        Put(city, city.Datastream("braga", "avenida-central", City.No2), begin, end, Half, at => 34 + 20 * Rush(at) + 10 * Season(at) + 9 * Noise(at, 3));
        Put(city, city.Datastream("braga", "avenida-central", City.O3), begin, end, Half, at => 62 - 22 * Season(at) + 34 * Sun(at) - 8 * Rush(at));
        var fine = city.Stations.Add(air, "ref-1", Of("pm10"), Half);
        Put(city, fine, begin, now.AddHours(-0.5), Half, at => Math.Max(3, 24 + 20 * Season(at) + 9 * Rush(at) + 15 * Noise(at, 1) + 6 * Noise(at, 40)), at => at.Date != now.Date.AddDays(-40) || at.Hour < 12);
        Put(city, city.Stations.Add(air, "ref-1", Of("pm2_5"), Half), begin, now.AddHours(-0.5), Half, at => Math.Max(1, 11 + 10 * Season(at) + 4 * Rush(at) + 8 * Noise(at, 1)));
        Put(city, city.Stations.Add(air, "wind-1", Of("wind_direction"), Half), now.AddDays(-30), now.AddHours(-0.5), Half, at => (300 + 70 * Noise(at, 2) + 40 * Noise(at, 17) + 720) % 360);
        Put(city, city.Stations.Add(air, "wind-1", Of("wind_speed"), Half), now.AddDays(-30), now.AddHours(-0.5), Half, at => Math.Max(0, 2.2 + 1.8 * Noise(at, 5)));

        var minute = TimeSpan.FromMinutes(1);
        Put(city, city.Datastream("braga", "se", City.Laeq), now.AddDays(-noiseDays), end, minute, at => 50 + 9 * Rush(at) + 5 * Sun(at) + (at.DayOfWeek is DayOfWeek.Friday or DayOfWeek.Saturday && at.Hour >= 21 ? 7 : 0) + 3 * Noise(at, 60), at => at.DayOfYear % 19 != 3);

        Put(city, city.Datastream("braga", "rodovia", City.Vehicles), now.Date.AddDays(-63), end, Quarter, at => Math.Round(Cars(at) + Heavy(at)));
        Put(city, city.Datastream("braga", "rodovia", City.Speed), now.Date.AddDays(-63), end, Quarter, at => 52 - 0.055 * Cars(at) * (1 + 0.25 * Noise(at, 30)) + 3 * Noise(at, 50));
        Put(city, city.Stations.Add(road, "telraam-1", Of("vehicle_count_car"), Quarter), now.Date.AddDays(-9), now.AddHours(-0.25), Quarter, at => Math.Round(Cars(at)));
        Put(city, city.Stations.Add(road, "telraam-1", Of("vehicle_count_heavy"), Quarter), now.Date.AddDays(-9), now.AddHours(-0.25), Quarter, at => Math.Round(Heavy(at)));
        Put(city, city.Stations.Add(road, "telraam-1", Of("v85"), Quarter), now.Date.AddDays(-9), now.AddHours(-0.25), Quarter, at => Math.Round(61 - 0.05 * Cars(at) + 4 * Noise(at, 20), 1));
    }

    private static double Cars(DateTime at) => Math.Max(0, (at.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 90 : 150) * (0.25 + Rush(at) + 0.6 * Sun(at)) + 12 * Noise(at, 25));

    private static double Heavy(DateTime at) => Math.Max(0, 9 * (0.2 + Sun(at)) + 2 * Noise(at, 31));

    /// <summary>Peaks at 08:30 and 18:00, 0 to about 1.</summary>
    private static double Rush(DateTime at) => Math.Exp(-Math.Pow(at.TimeOfDay.TotalHours - 8.5, 2) / 2.5) + Math.Exp(-Math.Pow(at.TimeOfDay.TotalHours - 18, 2) / 5);

    private static double Sun(DateTime at) => Math.Max(0, Math.Sin((at.TimeOfDay.TotalHours - 6) / 12 * Math.PI));

    /// <summary>1 in January, -1 in July.</summary>
    private static double Season(DateTime at) => Math.Cos((at.DayOfYear - 15) / 365.0 * 2 * Math.PI);

    private static double Noise(DateTime at, int rate)
    {
        var t = (at - DateTime.UnixEpoch).TotalDays * rate / 5;
        return 0.5 * (Math.Sin(t * 2.399) + Math.Sin(t * 1.117 + 2)) * Math.Sin(t * 0.61 + rate);
    }

    private static void Put(City city, Datastream datastream, DateTime from, DateTime to, TimeSpan step, Func<DateTime, double> value, Func<DateTime, bool>? when = null)
    {
        List<Observation> all = [];
        for (var at = new DateTime(from.Ticks / step.Ticks * step.Ticks, DateTimeKind.Utc); at <= to; at += step)
        {
            if (when?.Invoke(at) != false)
            {
                all.Add(new(datastream.Id, at, Math.Round(value(at), 2), Quality.Good));
            }
        }

        city.Series.AppendAsync(all.ToArray(), CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    private static Quantity Of(string id) => QuantityCatalogue.TryGet(id, out var found) ? found : throw new InvalidOperationException($"The catalogue has no {id}.");
}
