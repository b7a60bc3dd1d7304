using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>
/// Makes vehicles of the axles that hit one or two tubes. One tube: axles less than <see cref="ContactOptions.AxleTimeMax"/> apart are one vehicle; no speed. Two tubes: each axle
/// has direction and speed; axles of one direction less than <see cref="ContactOptions.AxleDistanceMax"/> apart are one vehicle, as long as from its first to its last axle
/// and the overhang. A vehicle that leaves one axle only is counted (its other one was lost). One caller at a time, times in order.
/// </summary>
internal sealed class TubePassages(ContactOptions options, int lines)
{
    private const int WaitingMax = 8;
    private const double SpeedMax = 70;
    private const double LengthMax = 60;

    // The interval waits for its last vehicle, but not for ever (see Grace): slower than 1 m/s, two axles far apart are two vehicles.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan TravelMax = TimeSpan.FromSeconds(5);

    private readonly Queue<DateTime>[] waiting = [new(), new()];
    private readonly Group[] groups = [new(), new(), new()];

    /// <summary>Axles on one of two tubes that the other did not feel.</summary>
    public long Unmatched { get; private set; }

    /// <summary>Axles on one tube in a row, by tube, while the other felt nothing.</summary>
    public int[] Alone { get; } = new int[2];

    /// <summary>An axle hit a tube.</summary>
    public void Hit(int line, DateTime at, List<VehiclePassage> passages)
    {
        Advance(at, passages);
        if (lines == 1)
        {
            Axle(Heading.Unknown, at, null, passages);
            return;
        }

        while (waiting[1 - line].TryDequeue(out DateTime first))
        {
            double speed = options.Spacing!.Value / Math.Max(1e-6, (at - first).TotalSeconds);
            if (speed <= SpeedMax)
            {
                Alone[0] = Alone[1] = 0;
                Axle(line == 1 ? Heading.In : Heading.Out, first, speed, passages);
                return;
            }

            GiveUp(1 - line);
        }

        if (waiting[line].Count == WaitingMax)
        {
            waiting[line].Dequeue();
            GiveUp(line);
        }

        waiting[line].Enqueue(at);
    }

    /// <summary>Ends the vehicles whose next axle would have come, and gives up axles that the other tube did not feel.</summary>
    public void Advance(DateTime now, List<VehiclePassage> passages)
    {
        for (int line = 0; line < lines && lines == 2; line++)
        {
            while (waiting[line].TryPeek(out DateTime at) && now - at > options.TravelMax)
            {
                waiting[line].Dequeue();
                GiveUp(line);
            }
        }

        for (int heading = 0; heading < groups.Length; heading++)
        {
            // With two tubes an axle is known only when the second is hit: as much longer is waited.
            if (groups[heading].Speeds > 0 && now - groups[heading].Last > Patience(groups[heading]) + Travel(groups[heading]))
            {
                End((Heading)heading, passages);
            }
        }
    }

    private void Axle(Heading heading, DateTime at, double? speed, List<VehiclePassage> passages)
    {
        Group group = groups[(int)heading];
        if (group.Speeds > 0 && at - group.Last > Patience(group))
        {
            End(heading, passages);
        }

        if (group.Speeds == 0)
        {
            group.First = at;
        }

        group.Last = at;
        group.Sum += speed ?? 0;
        group.Speeds++;
    }

    private TimeSpan Patience(Group group) =>
        lines == 1 ? options.AxleTimeMax : Least(options.AxleDistanceMax / (group.Sum / group.Speeds), PatienceMax);

    private TimeSpan Travel(Group group) => lines == 1 ? TimeSpan.Zero : Least(1.5 * options.Spacing!.Value / (group.Sum / group.Speeds), TravelMax);

    private static TimeSpan Least(double seconds, TimeSpan most) => seconds < most.TotalSeconds ? TimeSpan.FromSeconds(seconds) : most;

    private void End(Heading heading, List<VehiclePassage> passages)
    {
        Group group = groups[(int)heading];
        double? speed = lines == 1 ? null : group.Sum / group.Speeds;

        // A single axle says nothing about the length.
        double? length = speed is { } v && group.Speeds > 1 ? (v * (group.Last - group.First).TotalSeconds) + options.Overhang : null;
        passages.Add(new VehiclePassage(heading, group.Last, group.First, speed, length <= LengthMax ? length : null));
        (group.Sum, group.Speeds) = (0, 0);
    }

    private void GiveUp(int line)
    {
        Unmatched++;
        Alone[line]++;
        Alone[1 - line] = 0;
    }

    private sealed class Group
    {
        public DateTime First { get; set; }

        public DateTime Last { get; set; }

        public double Sum { get; set; }

        public int Speeds { get; set; }
    }
}
