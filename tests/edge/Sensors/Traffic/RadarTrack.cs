using System.Globalization;
using System.Text;

namespace Hub.Edge.Sensors.Tests.Traffic;

/// <summary>One vehicle of a made-up road.</summary>
internal sealed record RoadVehicle(bool Inbound, double FrontAt, double Speed, double Length);

/// <summary>
/// What an OPS243 would say beside a road, with the truth beside it: vehicles of two directions with random gaps, in a beam across the road. Reports come 20 times a second from
/// somewhere on the vehicle in the beam, so the angle and with it the speed shown wander; some are lost, more while two vehicles are in the beam; now and then there is noise.
/// </summary>
internal sealed class RadarTrack
{
    private const double ReportsPerSecond = 20;
    private const double Angle = 45;
    private const double BeamHalf = 10;
    private const double Lost = 0.15;
    private const double LostBeside = 0.3;
    private const double NoisePerSecond = 0.2;

    private readonly Random random;

    private RadarTrack(int seed) => random = new Random(seed);

    public static double MountAngle => Angle;

    /// <summary>The vehicles, by the instant their front comes into the beam.</summary>
    public List<RoadVehicle> Vehicles { get; } = [];

    /// <summary>Lines with the seconds at which they come.</summary>
    public List<(double At, string Line)> Lines { get; } = [];

    /// <summary>Makes the track of a road.</summary>
    public static RadarTrack Make(int seed, double inboundPerHour, double outboundPerHour, double seconds)
    {
        var track = new RadarTrack(seed);
        track.Drive(inbound: true, inboundPerHour, lateral: 5, seconds);
        track.Drive(inbound: false, outboundPerHour, lateral: 8, seconds);
        track.Vehicles.Sort((a, b) => a.FrontAt.CompareTo(b.FrontAt));
        track.Report(seconds);
        return track;
    }

    /// <summary>The track of vehicles that a test has chosen.</summary>
    public static RadarTrack Of(int seed, params RoadVehicle[] vehicles)
    {
        var track = new RadarTrack(seed);
        track.Vehicles.AddRange(vehicles);
        track.Report(vehicles.Max(v => v.FrontAt) + 5);
        return track;
    }

    /// <summary>Metres of road in the beam, at the lane of a direction.</summary>
    public static double Footprint(bool inbound)
    {
        double lateral = inbound ? 5 : 8;
        return (lateral / Math.Tan((Angle - BeamHalf) * Math.PI / 180)) - (lateral / Math.Tan((Angle + BeamHalf) * Math.PI / 180));
    }

    // A driver keeps 4 m and half a second from the vehicle before; the rest of the gap is random (shifted exponential).
    private void Drive(bool inbound, double perHour, double lateral, double seconds)
    {
        _ = lateral;
        if (perHour == 0)
        {
            return;
        }

        double mean = 3600 / perHour;
        double at = 2;
        while (at < seconds - 8)
        {
            bool truck = random.NextDouble() < 0.1;
            double length = truck ? 8 + (8.5 * random.NextDouble()) : 3.8 + (1.4 * random.NextDouble());
            double speed = Math.Clamp((truck ? 12.5 : 13.9) + (2 * Normal()), 7, 22);
            Vehicles.Add(new RoadVehicle(inbound, at, speed, length));
            double least = (length / speed) + 0.5 + (4 / speed);
            at += least + (Math.Max(0.05, mean - 1.2) * -Math.Log(1 - random.NextDouble()));
        }
    }

    private void Report(double seconds)
    {
        int first = 0;
        for (double at = 0; at < seconds; at += 1 / ReportsPerSecond)
        {
            while (first < Vehicles.Count && Gone(Vehicles[first]) < at - 10)
            {
                first++;
            }

            var speeds = new List<double>();
            RoadVehicle[] seen = [.. Vehicles.Skip(first).TakeWhile(v => v.FrontAt <= at).Where(v => at <= Gone(v))];
            foreach (RoadVehicle vehicle in seen)
            {
                if (random.NextDouble() < (seen.Length > 1 ? LostBeside : Lost))
                {
                    continue;
                }

                // The front enters at the far end of the beam when inbound; a long vehicle is seen anywhere along it.
                double footprint = Footprint(vehicle.Inbound);
                double covered = (at - vehicle.FrontAt) * vehicle.Speed;
                double from = Math.Max(0, covered - vehicle.Length);
                double to = Math.Min(footprint, covered);
                double along = from + ((to - from) * random.NextDouble());
                double lateral = vehicle.Inbound ? 5 : 8;
                double far = lateral / Math.Tan((Angle - BeamHalf) * Math.PI / 180);
                double x = vehicle.Inbound ? far - along : far - footprint + along;
                double shown = (vehicle.Speed * Math.Cos(Math.Atan2(lateral, x))) + (0.1 * Normal());
                speeds.Add(vehicle.Inbound ? shown : -shown);
            }

            if (random.NextDouble() < NoisePerSecond / ReportsPerSecond)
            {
                speeds.Add((random.NextDouble() * 40) - 20);
            }

            Lines.Add((at + (0.005 * random.NextDouble()), Line(speeds)));
        }

        double Gone(RoadVehicle vehicle) => vehicle.FrontAt + ((vehicle.Length + Footprint(vehicle.Inbound)) / vehicle.Speed);
    }

    // In turn, the forms that different firmware writes.
    private string Line(List<double> speeds)
    {
        if (speeds.Count == 0)
        {
            return "{\"unit\":\"mps\", \"speed\":\"0.0\"}";
        }

        if (speeds.Count == 1)
        {
            string text = speeds[0].ToString("0.00", CultureInfo.InvariantCulture);
            return random.Next(3) switch
            {
                0 => $"{{\"unit\":\"mps\",\"speed\":\"{text}\"}}",
                1 => $"{{\"unit\":\"mps\",\"speed\":{text}}}",
                _ => $"{{\"time\":\"1.2\",\"unit\":\"mps\",\"direction\":\"{(speeds[0] > 0 ? "inbound" : "outbound")}\",\"speed\":\"{text.TrimStart('-')}\"}}",
            };
        }

        var line = new StringBuilder("{\"unit\":\"mps\",\"speed\":[");
        line.AppendJoin(',', speeds.Select(speed => string.Create(CultureInfo.InvariantCulture, $"\"{speed:0.00}\"")));
        return line.Append("]}").ToString();
    }

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
