using System.Text;
using Hub.Edge.Sensors.Traffic.Ops243;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Tests.Traffic;

/// <summary>Tracks become vehicles by the rule, on made-up tracks whose truth is known.</summary>
public sealed class VehicleTrackerTests(ITestOutputHelper output)
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>Vehicles an hour inbound and outbound: both together and each alone, up to 1,800 in each direction at once.</summary>
    [Theory]
    [InlineData(1800, 0)]
    [InlineData(0, 1800)]
    [InlineData(900, 900)]
    [InlineData(1800, 1800)]
    [InlineData(600, 1200)]
    [InlineData(300, 300)]
    [InlineData(150, 150)]
    public void Counts_are_right_within_two_in_a_hundred(int inbound, int outbound)
    {
        for (int seed = 1; seed <= 2; seed++)
        {
            RadarTrack track = RadarTrack.Make(seed, inbound, outbound, 3600);
            List<VehiclePassage> passages = Follow(track);
            foreach (bool direction in new[] { true, false })
            {
                RoadVehicle[] truth = [.. track.Vehicles.Where(v => v.Inbound == direction)];
                VehiclePassage[] found = [.. passages.Where(p => p.Heading == (direction ? Heading.In : Heading.Out))];
                double asked = direction ? inbound : outbound;
                output.WriteLine($"seed {seed} {(direction ? "in" : "out")}: {truth.Length} true, {found.Length} found");
                if (asked == 0)
                {
                    Assert.InRange(found.Length, 0, 3);
                    continue;
                }

                Assert.InRange(truth.Length, asked * 0.8, asked * 1.2);
                Assert.InRange(found.Length, Math.Floor(truth.Length * 0.98), Math.Ceiling(truth.Length * 1.02));
                Assert.Equal(truth.Average(v => v.Speed), found.Average(p => p.Speed!.Value), 0.7);
            }
        }
    }

    [Fact]
    public void A_lorry_stays_long_in_the_beam_and_is_one_vehicle()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            VehiclePassage passage = Assert.Single(Follow(RadarTrack.Of(seed, new RoadVehicle(true, 2, 8, 18.75))), p => p.Heading == Heading.In);
            Assert.Equal(8, passage.Speed!.Value, 0.9);
            Assert.InRange((passage.At - passage.Front).TotalSeconds, 2.2, 3);
        }
    }

    [Fact]
    public void Vehicles_that_pass_each_other_in_the_beam_are_two()
    {
        // Nearly a third of the reports are lost while both are there: of 100 pairs two may come out wrong.
        Assert.InRange(
            Enumerable.Range(0, 100).Count(seed => Follow(RadarTrack.Of(seed, new RoadVehicle(true, 2, 12, 5), new RoadVehicle(false, 2.1, 13, 12)))
                .Select(p => p.Heading).Order().SequenceEqual([Heading.In, Heading.Out])),
            98, 100);
    }

    [Fact]
    public void A_slower_vehicle_close_behind_is_a_vehicle_of_its_own()
    {
        // Nose to tail: no silence between the two, only the speed tells them apart.
        var tracker = new VehicleTracker(new RadarOptions());
        var passages = new List<VehiclePassage>();
        for (int n = 0; n < 10; n++)
        {
            tracker.Report(Noon.AddMilliseconds(50 * n), 14, passages);
        }

        for (int n = 10; n < 25; n++)
        {
            tracker.Report(Noon.AddMilliseconds(50 * n), 8, passages);
        }

        tracker.Advance(Noon.AddSeconds(5), passages);
        Assert.Equal([14.0, 8.0], passages.Select(p => p.Speed!.Value));
    }

    [Fact]
    public void Reports_that_take_turns_between_two_speeds_are_one_vehicle()
    {
        var tracker = new VehicleTracker(new RadarOptions());
        var passages = new List<VehiclePassage>();
        for (int n = 0; n < 20; n++)
        {
            tracker.Report(Noon.AddMilliseconds(50 * n), n % 3 == 0 ? -8 : -14, passages);
        }

        tracker.Advance(Noon.AddSeconds(5), passages);
        Assert.Equal((Heading.Out, (double?)14), (Assert.Single(passages).Heading, passages[0].Speed));
    }

    [Fact]
    public void Two_reports_or_a_tenth_of_a_second_make_no_vehicle()
    {
        var tracker = new VehicleTracker(new RadarOptions { DurationMin = TimeSpan.FromSeconds(0.1) });
        var passages = new List<VehiclePassage>();
        tracker.Report(Noon, 12, passages);
        tracker.Report(Noon.AddMilliseconds(200), 12, passages);
        foreach (int at in new[] { 2000, 2010, 2020, 2030, 2040 })
        {
            tracker.Report(Noon.AddMilliseconds(at), -12, passages);
        }

        // Somebody walks by, for a minute.
        for (int n = 0; n < 1200; n++)
        {
            tracker.Report(Noon.AddMilliseconds(4000 + (50 * n)), 1.4, passages);
        }

        tracker.Advance(Noon.AddMinutes(5), passages);
        Assert.Empty(passages);
        Assert.Equal(2, tracker.Noise);
    }

    [Fact]
    public void The_angle_of_the_beam_is_taken_out_of_the_speed()
    {
        var tracker = new VehicleTracker(new RadarOptions { Angle = 60 });
        var passages = new List<VehiclePassage>();
        for (int n = 0; n < 10; n++)
        {
            tracker.Report(Noon.AddMilliseconds(50 * n), -7, passages);
        }

        tracker.Advance(Noon.AddSeconds(5), passages);
        Assert.Equal(14, Assert.Single(passages).Speed!.Value, 9);
        Assert.Equal((Noon, Noon.AddMilliseconds(450)), (passages[0].Front, passages[0].At));
    }

    [Fact]
    public void Reports_of_everything_at_once_are_bounded()
    {
        var tracker = new VehicleTracker(new RadarOptions());
        var passages = new List<VehiclePassage>();
        var random = new Random(7);
        for (int n = 0; n < 20_000; n++)
        {
            tracker.Report(Noon.AddMilliseconds(n), (random.NextDouble() * 200) - 100, passages);
            Assert.InRange(tracker.Open, 0, VehicleTracker.TracksMax);
        }

        tracker.Advance(Noon.AddHours(1), passages);
        Assert.Equal(0, tracker.Open);
        Assert.NotEmpty(passages);
    }

    private static List<VehiclePassage> Follow(RadarTrack track)
    {
        var tracker = new VehicleTracker(new RadarOptions { Angle = RadarTrack.MountAngle });
        var line = new Ops243Line();
        var passages = new List<VehiclePassage>();
        foreach ((double at, string text) in track.Lines)
        {
            Assert.True(line.TryParse(Encoding.ASCII.GetBytes(text)), text);
            foreach (double speed in line.Speeds)
            {
                tracker.Report(Noon.AddSeconds(at), speed, passages);
            }
        }

        tracker.Advance(Noon.AddHours(2), passages);
        return passages;
    }
}
