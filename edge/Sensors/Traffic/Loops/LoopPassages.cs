using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>
/// Makes vehicles of one or two loops. One loop: a vehicle is what covers it; no speed, no length. Two loops: the one covered first says the direction; the speed is the spacing over
/// the mean of the times between the two fronts and the two rears; the length is speed x mean time covered, less the loop. A vehicle that covers only one of two is counted as
/// half and given up (<see cref="Unmatched"/>): counted, it would count lane changes twice. One caller at a time, times in order.
/// </summary>
internal sealed class LoopPassages(ContactOptions options, int lines)
{
    // More than stand between two loops a few metres apart.
    private const int WaitingMax = 4;
    private const double SpeedMax = 70;
    private const double LengthMax = 60;

    private readonly Queue<Cover>[] waiting = [new(), new()];
    private readonly Cover?[] present = new Cover?[2];

    /// <summary>Covers of one of two loops that the other did not see.</summary>
    public long Unmatched { get; private set; }

    /// <summary>Covers of one loop in a row, by loop, while the other saw nothing: a contact that has failed.</summary>
    public int[] Alone { get; } = new int[2];

    /// <summary>Takes a change.</summary>
    public void Take(in ContactChange change, List<VehiclePassage> passages)
    {
        if (change.On)
        {
            present[change.Line] = new Cover { On = change.At };
            if (lines == 2)
            {
                Pair(change.Line, change.At);
            }

            return;
        }

        if (present[change.Line] is not { } cover)
        {
            // Covered since before the start: whose front nobody saw.
            return;
        }

        cover.Off = change.At;
        present[change.Line] = null;
        if (lines == 1)
        {
            passages.Add(new VehiclePassage(Heading.Unknown, change.At, cover.On));
        }
        else
        {
            Finish(cover, passages);
        }
    }

    /// <summary>Gives up what waits for its other loop for too long.</summary>
    public void Advance(DateTime now)
    {
        for (int line = 0; line < lines; line++)
        {
            while (waiting[line].TryPeek(out Cover? cover) && now - cover.On > options.TravelMax)
            {
                waiting[line].Dequeue();
                GiveUp(line);
            }
        }
    }

    private void Pair(int line, DateTime at)
    {
        Cover cover = present[line]!;
        Advance(at);
        if (waiting[1 - line].TryDequeue(out Cover? first))
        {
            double speed = options.Spacing!.Value / Math.Max(1e-6, (at - first.On).TotalSeconds);
            if (speed <= SpeedMax)
            {
                (first.Second, cover.First, cover.Line) = (cover, first, line);
                Alone[0] = Alone[1] = 0;
                return;
            }

            // Both at once is lightning or a common fault, not a vehicle.
            GiveUp(1 - line);
        }

        if (waiting[line].Count == WaitingMax)
        {
            waiting[line].Dequeue();
            GiveUp(line);
        }

        waiting[line].Enqueue(cover);
    }

    private void GiveUp(int line)
    {
        Unmatched++;
        Alone[line]++;
        Alone[1 - line] = 0;
    }

    // A vehicle is over when its rear has left both loops.
    private void Finish(Cover cover, List<VehiclePassage> passages)
    {
        Cover? first = cover.First ?? (cover.Second is null ? null : cover);
        if (first?.Second is not { } second || first.Off is not { } firstOff || second.Off is not { } secondOff)
        {
            return;
        }

        double fronts = (second.On - first.On).TotalSeconds;
        double rears = (secondOff - firstOff).TotalSeconds;

        // Braking between the loops changes the two; a rear lost in bounce makes nonsense of one.
        double travel = rears > fronts / 2 && rears < fronts * 2 ? (fronts + rears) / 2 : fronts;
        double speed = options.Spacing!.Value / travel;
        double covered = ((firstOff - first.On).TotalSeconds + (secondOff - second.On).TotalSeconds) / 2;
        double length = (speed * covered) - options.LoopLength;
        DateTime at = secondOff > firstOff ? secondOff : firstOff;
        passages.Add(new VehiclePassage(second.Line == 1 ? Heading.In : Heading.Out, at, first.On, speed, length is > 0 and <= LengthMax ? length : null));
    }

    private sealed class Cover
    {
        public DateTime On { get; init; }

        public DateTime? Off { get; set; }

        public int Line { get; set; }

        public Cover? First { get; set; }

        public Cover? Second { get; set; }
    }
}
