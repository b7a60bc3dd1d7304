using CsCheck;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Edge.Sampling.Tests;

public sealed class HumidityWatchTests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private readonly HumidityWatch watch = new(85);

    [Theory]
    [InlineData(84.9, false)]
    [InlineData(85.0, false)]
    [InlineData(85.1, true)]
    [InlineData(100.0, true)]
    public void Particles_in_moist_air_are_suspect(double humidity, bool suspect)
    {
        watch.Note(Humidity(Noon, humidity));
        Assert.All(["pm1", "pm2_5", "pm4", "pm10", "particle_number"], property => Assert.Equal(suspect, watch.IsSuspect(Minute(property, Noon))));
        Assert.False(watch.IsSuspect(Minute("no2", Noon)));
        Assert.False(watch.IsSuspect(Minute("relative_humidity", Noon)));
    }

    [Fact]
    public void Without_a_humidity_of_these_minutes_nothing_is_said()
    {
        Assert.False(watch.IsSuspect(Minute("pm10", Noon)));
        watch.Note(Humidity(Noon, 95));
        Assert.True(watch.IsSuspect(Minute("pm10", Noon.AddMinutes(5))));
        Assert.False(watch.IsSuspect(Minute("pm10", Noon.AddMinutes(6))));
        Assert.False(watch.IsSuspect(Minute("pm10", Noon.AddMinutes(-6))));
    }

    [Fact]
    public void The_latest_humidity_counts_whatever_order_it_comes_in()
    {
        watch.Note(Humidity(Noon.AddMinutes(1), 60));
        watch.Note(Humidity(Noon, 95));
        Assert.False(watch.IsSuspect(Minute("pm10", Noon.AddMinutes(1))));
        watch.Note(Humidity(Noon.AddMinutes(1), 90));
        watch.Note(Humidity(Noon.AddMinutes(1), 70));
        Assert.True(watch.IsSuspect(Minute("pm10", Noon.AddMinutes(1))));
    }

    [Theory]
    [InlineData(Quality.Stuck)]
    [InlineData(Quality.OutOfRange)]
    [InlineData(Quality.Stuck | Quality.Incomplete)]
    public void A_humidity_that_is_not_to_be_believed_says_nothing(Quality quality)
    {
        watch.Note(Humidity(Noon, 100) with { Quality = quality });
        Assert.False(watch.IsSuspect(Minute("pm10", Noon)));
    }

    /// <summary>Against the plain rule, for any order of humidities.</summary>
    [Fact]
    public void Suspect_is_what_the_rule_says() => Gen.Select(Gen.Int[0, 20], Gen.Int[70, 100]).Array[0, 20].Select(Gen.Int[0, 30]).Sample((humidities, minute) =>
    {
        var judged = new HumidityWatch(85);
        foreach ((int at, int percent) in humidities)
        {
            judged.Note(Humidity(Noon.AddMinutes(at), percent));
        }

        bool expected = humidities.Length > 0 && humidities.MaxBy(humidity => (humidity.Item1, humidity.Item2)) is var (latest, value) && value > 85 && Math.Abs(minute - latest) <= 5;
        Assert.Equal(expected, judged.IsSuspect(Minute("pm2_5", Noon.AddMinutes(minute))));
    });

    private static Reading Humidity(DateTime at, double value) => Minute("relative_humidity", at) with { Value = value };

    private static Reading Minute(string property, DateTime at) => new("sensor", property, at, 20) { Period = TimeSpan.FromMinutes(1) };
}
