using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Ops243;

/// <summary>
/// Makes vehicles of a radar's reports. The rule:
/// <list type="number">
/// <item>A report below <see cref="RadarOptions.SpeedMin"/> is passed over.</item>
/// <item>It belongs to the open track of its own direction whose last speed (smoothed) is nearest, if that is within <see cref="RadarOptions.Coherence"/>; else it begins a track. So a
/// vehicle that comes the other way, and a slower one close behind, have tracks of their own.</item>
/// <item>Where reports of two tracks of one direction take turns, they are two parts of one vehicle: the later track becomes part of the earlier one. A vehicle behind another
/// begins when the other has had its last report.</item>
/// <item>A track without a report for longer than <see cref="RadarOptions.Gap"/> is over. It was a vehicle if it has <see cref="RadarOptions.ReportsMin"/> reports over
/// <see cref="RadarOptions.DurationMin"/>; else it was noise.</item>
/// <item>The vehicle's speed is the median of its reports, divided by the cosine of <see cref="RadarOptions.Angle"/>; its front is the first report, its rear the last.</item>
/// </list>
/// One caller at a time.
/// </summary>
internal sealed class VehicleTracker(RadarOptions options)
{
    /// <summary>Tracks at a time; beyond that the one that was silent longest is ended early.</summary>
    public const int TracksMax = 16;

    // A track that stands in a jam for minutes does not grow for ever: its later reports only keep it open.
    private const int ReportsMax = 1024;

    // Slow vehicles vary by more than a share of their speed.
    private const double CoherenceMetresPerSecondMin = 1.5;

    // Follows the speed as it changes with the angle, and is not thrown by one bad report.
    private const double Smoothing = 0.4;

    private readonly List<Track> tracks = [];
    private readonly double cosine = Math.Cos(options.Angle * Math.PI / 180);

    /// <summary>Tracks that are open.</summary>
    public int Open => tracks.Count;

    /// <summary>Tracks that were too short to be vehicles.</summary>
    public long Noise { get; private set; }

    /// <summary>Takes a report.</summary>
    /// <param name="at">UTC instant, not before that of the report before.</param>
    /// <param name="speed">Metres a second as the radar says, positive when inbound.</param>
    /// <param name="passages">Where vehicles go that are over by then.</param>
    public void Report(DateTime at, double speed, List<VehiclePassage> passages)
    {
        Advance(at, passages);
        if (!(Math.Abs(speed) >= options.SpeedMin))
        {
            return;
        }

        Track? nearest = null;
        double distance = double.MaxValue;
        foreach (Track track in tracks)
        {
            double apart = Math.Abs(track.Speed - speed);
            if (track.Speed * speed > 0 && apart < distance && apart <= Math.Max(CoherenceMetresPerSecondMin, options.Coherence * Math.Abs(track.Speed)))
            {
                (nearest, distance) = (track, apart);
            }
        }

        if (nearest is not null)
        {
            Join(nearest);
        }
        else
        {
            if (tracks.Count == TracksMax)
            {
                End(tracks.MinBy(static track => track.Last)!, passages);
            }

            tracks.Add(nearest = new Track(at, speed));
        }

        nearest.Last = at;
        nearest.Speed += Smoothing * (speed - nearest.Speed);
        if (nearest.Reports.Count < ReportsMax)
        {
            nearest.Reports.Add(Math.Abs(speed));
        }
    }

    /// <summary>Ends the tracks that are over.</summary>
    /// <param name="now">UTC instant up to which reports have been taken.</param>
    /// <param name="passages">Where their vehicles go.</param>
    public void Advance(DateTime now, List<VehiclePassage> passages)
    {
        for (int index = tracks.Count - 1; index >= 0; index--)
        {
            if (now - tracks[index].Last > options.Gap)
            {
                End(tracks[index], passages);
            }
        }
    }

    /// <summary>A track that goes on takes in those of its direction that have begun since: what they reported was the same vehicle.</summary>
    private void Join(Track earlier)
    {
        for (int index = tracks.Count - 1; index >= 0; index--)
        {
            Track later = tracks[index];
            if (later.First > earlier.First && later.Speed * earlier.Speed > 0)
            {
                earlier.Reports.AddRange(later.Reports.Take(ReportsMax - earlier.Reports.Count));
                tracks.RemoveAt(index);
            }
        }
    }

    private void End(Track track, List<VehiclePassage> passages)
    {
        tracks.Remove(track);
        if (track.Reports.Count < options.ReportsMin || track.Last - track.First < options.DurationMin)
        {
            Noise++;
            return;
        }

        double speed = VehicleFigures.Percentile(track.Reports, 50) / cosine;
        passages.Add(new VehiclePassage(track.Speed > 0 ? Heading.In : Heading.Out, track.Last, track.First, speed));
    }

    private sealed class Track(DateTime first, double speed)
    {
        public DateTime First { get; } = first;

        public DateTime Last { get; set; } = first;

        public double Speed { get; set; } = speed;

        public List<double> Reports { get; } = [];
    }
}
