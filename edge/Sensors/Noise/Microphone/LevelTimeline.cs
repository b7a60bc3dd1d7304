using Hub.Edge.Sensors.Noise.Levels;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>
/// Puts sound on the UTC clock: cuts it into seconds and periods, and accounts for what is missing. The sound card counts time with its own crystal
/// and hands sound over late and unevenly; so its count is believed in the small and the station's monotonic clock in the large. Pure but for
/// <paramref name="report"/>; allocates nothing. One caller at a time.
/// </summary>
/// <param name="meter">The meter.</param>
/// <param name="period">Length of a period, whole seconds.</param>
/// <param name="everySecond">Whether seconds are reported.</param>
/// <param name="report">Takes what an interval was, at its end, in order.</param>
internal sealed class LevelTimeline(SoundLevelMeter meter, TimeSpan period, bool everySecond, Action<LevelReport> report)
{
    // How often the card's count is compared with the clock, and how much it may be moved then: 1000 ppm, twenty times what crystals differ.
    private const long WindowTicks = 5 * TimeSpan.TicksPerSecond;
    private const long MoveTicksMax = 5 * TimeSpan.TicksPerMillisecond;

    // Behind by more than this at every block of a window: sound was lost that nobody told of. Ahead by more: another rate.
    private const long BehindTicksMax = 50 * TimeSpan.TicksPerMillisecond;

    // A change of the UTC clock against the monotonic one from which on it was set, not drawn.
    private const long StepTicksMin = 100 * TimeSpan.TicksPerMillisecond;

    // After a step back of up to this, intervals that were reported already are not reported again; after a larger one the old time was nonsense.
    private const long BackTicksMax = TimeSpan.TicksPerHour;

    private const double SecondsOfPeriodMin = 1;

    private bool running;
    private long anchor;
    private long position;
    private long offset;
    private long windowLeast;
    private bool firstWindow;
    private long nextSecond;
    private long reportedPeriod = long.MinValue;
    private long reportedSecond = long.MinValue;

    /// <summary>Intervals that had sound and were not reported: cut by a clock step, reported already, or too short to say anything.</summary>
    public long Discarded { get; private set; }

    /// <summary>Samples known to be lost while running.</summary>
    public long Lost { get; private set; }

    private long Predicted => anchor + Ticks(position);

    /// <summary>Takes sound that was handed over just now.</summary>
    /// <param name="samples">One block.</param>
    /// <param name="now">Monotonic time, in ticks of 100 ns from any zero.</param>
    /// <param name="utc">UTC at the same moment.</param>
    /// <param name="gapBefore">True if sound is missing before this block.</param>
    /// <exception cref="SensorException">The device is faster than its rate.</exception>
    public void Add(ReadOnlySpan<double> samples, long now, DateTime utc, bool gapBefore)
    {
        if (samples.IsEmpty)
        {
            return;
        }

        long start = now - Ticks(samples.Length);
        long offsetNow = utc.Ticks - now;
        if (!running)
        {
            running = true;
            Anchor(start);
            offset = offsetNow;
            Open(start + offset);
        }
        else if (Math.Abs(offsetNow - offset) >= StepTicksMin)
        {
            // What was measured so far belongs to a time that was never, or will not be again.
            Discarded++;
            offset = offsetNow;
            meter.Restart();
            Anchor(start);
            Open(start + offset);
        }
        else
        {
            offset = offsetNow;
            if (gapBefore)
            {
                Gap(start - Predicted);
                Anchor(start);
            }
        }

        Walk(samples, samples.Length, Predicted + offset);
        position += samples.Length;
        Compare(now);
    }

    private long Ticks(long samples) => samples * TimeSpan.TicksPerSecond / meter.Rate;

    private void Anchor(long at)
    {
        anchor = at;
        position = 0;
        windowLeast = long.MaxValue;
        firstWindow = true;
    }

    // Being handed over late says little, being handed over early cannot be: the least delay of a window is where the sound really is.
    private void Compare(long now)
    {
        windowLeast = Math.Min(windowLeast, now - Predicted);
        if (Ticks(position) < (firstWindow ? TimeSpan.TicksPerSecond : WindowTicks))
        {
            return;
        }

        if (windowLeast > BehindTicksMax)
        {
            Gap(windowLeast);
            Anchor(Predicted + windowLeast);
            return;
        }

        if (windowLeast < -BehindTicksMax && !firstWindow)
        {
            throw new SensorException($"The audio device gives more than {meter.Rate} samples a second (by {-windowLeast / 10_000.0 / WindowTicks * TimeSpan.TicksPerSecond:0} ms in {WindowTicks / TimeSpan.TicksPerSecond} s): its rate is not the one in the station file.");
        }

        // The first block may have waited long before anybody took it.
        anchor = Predicted + (firstWindow ? Math.Min(windowLeast, MoveTicksMax) : Math.Clamp(windowLeast, -MoveTicksMax, MoveTicksMax));
        position = 0;
        windowLeast = long.MaxValue;
        firstWindow = false;
    }

    private void Gap(long ticks)
    {
        // An overrun is a loss however short: at least one sample.
        long lost = Math.Max(1, ticks * meter.Rate / TimeSpan.TicksPerSecond);
        Lost += lost;
        meter.Restart();
        if (ticks > TimeSpan.TicksPerHour)
        {
            Discarded++;
            Open(Predicted + ticks + offset);
            return;
        }

        Walk([], lost, Predicted + offset);
    }

    // The open interval lacks what was before the sound began.
    private void Open(long utc)
    {
        meter.ClearSecond();
        meter.ClearPeriod();
        long second = utc - (utc % TimeSpan.TicksPerSecond);
        nextSecond = second + TimeSpan.TicksPerSecond;
        meter.Lose(Samples(utc - second), Samples(utc % period.Ticks));
    }

    private long Samples(long ticks) => ticks * meter.Rate / TimeSpan.TicksPerSecond;

    private void Walk(ReadOnlySpan<double> samples, long count, long utc)
    {
        while (count > 0)
        {
            long left = ((nextSecond - utc) * meter.Rate) + TimeSpan.TicksPerSecond - 1;
            long part = Math.Min(count, left / TimeSpan.TicksPerSecond);
            if (part <= 0)
            {
                Close();
                continue;
            }

            if (samples.IsEmpty)
            {
                meter.Lose(part);
            }
            else
            {
                meter.Add(samples[..(int)part]);
                samples = samples[(int)part..];
            }

            count -= part;
            utc += Ticks(part);
        }
    }

    private void Close()
    {
        long secondStart = nextSecond - TimeSpan.TicksPerSecond;
        if (everySecond)
        {
            SoundLevels second = meter.Second;

            // A tenth of a second at least: less is a click, not a level.
            if (second.Measured * 10 >= meter.Rate)
            {
                Report(new LevelReport(new DateTime(secondStart, DateTimeKind.Utc), TimeSpan.FromSeconds(1), second), ref reportedSecond);
            }
        }

        meter.ClearSecond();
        if (nextSecond % period.Ticks == 0)
        {
            if (meter.PeriodSeconds >= SecondsOfPeriodMin)
            {
                var bands = default(BandLevels);
                meter.PeriodBands(bands);
                Report(new LevelReport(new DateTime(nextSecond - period.Ticks, DateTimeKind.Utc), period, meter.Period) { Bands = bands }, ref reportedPeriod);
            }
            else if (meter.PeriodSeconds > 0)
            {
                Discarded++;
            }

            meter.ClearPeriod();
        }

        nextSecond += TimeSpan.TicksPerSecond;
    }

    private void Report(in LevelReport interval, ref long reported)
    {
        long start = interval.Start.Ticks;
        if (start <= reported && start > reported - BackTicksMax)
        {
            Discarded++;
            return;
        }

        reported = start;
        report(interval);
    }
}
