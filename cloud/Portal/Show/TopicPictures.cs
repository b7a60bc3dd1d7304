using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read.Topics;

namespace Hub.Cloud.Portal.Show;

/// <summary>The drawings of the pages about air, noise and traffic. All they show stands in a table beside them. Pure.</summary>
internal static class TopicPictures
{
    /// <summary>Shades of a scale of values.</summary>
    public const int Shades = 6;

    /// <summary>Width of a step of the scale that a calendar is painted by: a round number, so that six steps reach over the largest value.</summary>
    public static double StepOf(AirCalendar calendar) => Scale.StepOf(Math.Max(calendar.Days.Where(static day => day.Has).Select(static day => day.Value).DefaultIfEmpty(1).Max(), 1), Shades);

    /// <summary>Shade of a value, 1 to 6.</summary>
    public static int ShadeOf(double value, double low, double step) => (int)Math.Clamp(Math.Floor((value - low) / step), 0, Shades - 1) + 1;

    /// <summary>A month of a calendar: weeks downwards, Monday first. Days above the limit have a dot, those that are not valid are hollow, those without values a small mark.</summary>
    public static Drawing Month(AirCalendar calendar, int month, double step)
    {
        const double Cell = 14;
        const double Side = 12;
        var first = new DateOnly(calendar.Year, month, 1);
        var shift = ((int)first.DayOfWeek + 6) % 7;
        var picture = new Drawing((7 * Cell) - 2, (6 * Cell) - 2);
        foreach (var day in calendar.Days.Where(day => day.Date.Month == month))
        {
            var at = day.Date.Day - 1 + shift;
            var (x, y) = (at % 7 * Cell, at / 7 * Cell);
            if (!day.Has)
            {
                picture.Box("cell-none", x + 4.5, y + 4.5, 3, 3);
                continue;
            }

            var shade = ShadeOf(day.Value, 0, step);
            if (!day.IsValid)
            {
                picture.Box("cell-hollow", x + 1, y + 1, Side - 2, Side - 2);
                continue;
            }

            picture.Box($"cell shade-{shade}", x, y, Side, Side);
            if (calendar.IsOver(day))
            {
                picture.Dot($"cell-over on-{shade}", x + (Side / 2), y + (Side / 2), 2.6);
            }
        }

        return picture;
    }

    /// <summary>A pollution rose: the longer a petal, the more often the wind came from there; its pieces are classes of the index, the best inside.</summary>
    public static Drawing Rose(AirRose rose, Speech say)
    {
        const double Middle = 160;
        const double Reach = 126;
        const double Hole = 10;
        var picture = new Drawing(2 * Middle, 2 * Middle);
        var all = Math.Max(1, rose.Rose.Total);
        var longest = Math.Max(0.02, rose.Rose.Sectors.Max(static sector => sector.Hours) / (double)all);
        var step = Scale.StepOf(longest, 3);
        var rings = (int)Math.Ceiling((longest / step) - 1e-9);
        double Out(double share) => Hole + (share / (rings * step) * (Reach - Hole));
        for (var ring = 1; ring <= rings; ring++)
        {
            picture.Ring("ring", Middle, Middle, Out(ring * step));
        }

        var half = 180.0 / rose.Rose.Sectors.Count * 0.86;
        foreach (var sector in rose.Rose.Sectors)
        {
            var before = 0;
            for (var band = 0; band < sector.Counts.Count; band++)
            {
                if (sector.Counts[band] > 0)
                {
                    picture.Wedge($"petal class-{band + 1}", Middle, Middle, Out(before / (double)all), Out((before + sector.Counts[band]) / (double)all), sector.Direction - half, sector.Direction + half);
                    before += sector.Counts[band];
                }
            }
        }

        for (var ring = 1; ring <= rings; ring++)
        {
            // Between two petals, where it hides none.
            var angle = 180.0 / rose.Rose.Sectors.Count * Math.PI / 180;
            picture.Text("ring-name", Middle + (Out(ring * step) * Math.Sin(angle)), Middle - (Out(ring * step) * Math.Cos(angle)) + 3, say.Figure(100 * ring * step, step < 0.0099 ? 1 : 0) + " %", "middle");
        }

        foreach (var (name, x, y) in new[] { ("compass.north", 0, -1), ("compass.east", 1, 0), ("compass.south", 0, 1), ("compass.west", -1, 0) })
        {
            picture.Text("compass", Middle + (x * 146), Middle + (y * 146) + 4, say[name], "middle");
        }

        return picture;
    }

    /// <summary>Lden and Ln of each noise day as a disc and a diamond, Ld and Le as small strokes, with the limits of the zone.</summary>
    public static Drawing NoiseDays(NoiseDetail detail, Speech say)
    {
        double[] levels = [.. detail.Days.SelectMany(static day => day.Figures is { } found ? new[] { found.Lden, found.Day.Level, found.Evening.Level, found.Night.Level } : []).Where(double.IsFinite), detail.Zone.Lden, detail.Zone.Ln];
        var plot = new Plot(say, levels.Min() - 1, levels.Max() + 1, "dB(A)");
        plot.Limit("limit-den", detail.Zone.Lden);
        plot.Limit("limit-night", detail.Zone.Ln);
        for (var i = 0; i < detail.Days.Count; i++)
        {
            var (date, found) = detail.Days[i];
            var share = (i + 0.5) / detail.Days.Count;
            var x = Plot.Across(share);
            if (date.DayOfWeek == DayOfWeek.Monday)
            {
                plot.Below(share, date.ToString(say["format.date"], say.Culture), i < 2 ? "start" : "middle");
            }

            if (found is null)
            {
                continue;
            }

            Stroke("stroke-day", found.Day.Level, horizontal: true);
            Stroke("stroke-evening", found.Evening.Level, horizontal: false);
            if (double.IsFinite(found.Night.Level))
            {
                plot.Picture.Diamond("mark mark-night" + State(found.Night.IsValid(Indicators.NoiseDays.CoverageMin), found.Night.Level > detail.Zone.Ln), x, plot.Up(found.Night.Level), 4.4);
            }

            if (double.IsFinite(found.Lden))
            {
                plot.Picture.Dot("mark mark-den" + State(found.IsValid(Indicators.NoiseDays.CoverageMin), found.Lden > detail.Zone.Lden), x, plot.Up(found.Lden), 3.9);
            }

            void Stroke(string kind, double level, bool horizontal)
            {
                if (double.IsFinite(level))
                {
                    var y = plot.Up(level);
                    plot.Picture.Line(kind, x - (horizontal ? 4 : 0), y - (horizontal ? 0 : 4), x + (horizontal ? 4 : 0), y + (horizontal ? 0 : 4));
                }
            }
        }

        return plot.Picture;
    }

    /// <summary>The last hours with their fan from L90 to L10, and what is usual at that hour.</summary>
    public static Drawing NoiseHours(NoiseDetail detail, Speech say)
    {
        var zone = detail.Station.Zone;
        double[] usual = [.. detail.Hours.Select(hour => detail.Usual[WeekPattern.PlaceOf(hour.Start, zone).Hour].Value)];
        double[] levels = [.. detail.Hours.SelectMany(static hour => new[] { hour.Level, hour.L10, hour.L90 }).Concat(usual).Where(double.IsFinite)];
        var plot = new Plot(say, levels.DefaultIfEmpty(30).Min(), levels.DefaultIfEmpty(70).Max(), "dB(A)");
        double X(int i) => Plot.Across((i + 0.5) / detail.Hours.Count);
        plot.Picture.Band("band", [.. detail.Hours.Select((hour, i) => (X(i), hour.IsValid ? plot.Up(hour.L90) : double.NaN, plot.Up(hour.L10)))]);
        plot.Picture.Curve("usual", usual.Select((level, i) => (X(i), plot.Up(level))));
        plot.Picture.Curve("line", detail.Hours.Select((hour, i) => (X(i), hour.IsValid ? plot.Up(hour.Level) : double.NaN)));
        for (var i = 0; i < detail.Hours.Count; i++)
        {
            var hour = detail.Hours[i];
            if (double.IsFinite(hour.Level))
            {
                plot.Picture.Dot("mark mark-small" + State(hour.IsValid, false), X(i), plot.Up(hour.Level), 2.4);
            }

            if (WeekPattern.PlaceOf(hour.Start, zone).Hour % 6 == 0)
            {
                plot.Below((i + 0.5) / detail.Hours.Count, say.Clock(hour.Start, zone), i > detail.Hours.Count - 3 ? "end" : "middle");
            }
        }

        return plot.Picture;
    }

    /// <summary>Flow against speed: a dot for each quarter of an hour, the median by flow as a line.</summary>
    public static Drawing FlowSpeed(TrafficDetail detail, Speech say)
    {
        var plot = new Plot(say, 0, Math.Max(10, detail.Diagram.Max(static point => point.Speed)), "km/h");
        var flows = Scale.Around(0, Math.Max(1, detail.Diagram.Max(static point => point.Flow)), 5);
        double X(double flow) => Plot.Across(flow / flows[^1]);
        foreach (var flow in flows)
        {
            plot.Below(flow / flows[^1], say.Figure(flow, 0), flow == flows[^1] ? "end" : "middle");
        }

        plot.Picture.Text("axis", Plot.Right, Plot.Bottom - 5, say["traffic.perhour"], "end");

        plot.Picture.Dots("cloud", detail.Diagram.Select(point => (X(point.Flow), plot.Up(point.Speed))), 1.9);
        plot.Picture.Curve("line", detail.Bins.Select(bin => (X(Math.Min((bin.From + bin.To) / 2, flows[^1])), plot.Up(bin.Median))));
        foreach (var bin in detail.Bins)
        {
            plot.Picture.Dot("mark mark-small", X(Math.Min((bin.From + bin.To) / 2, flows[^1])), plot.Up(bin.Median), 3);
        }

        return plot.Picture;
    }

    /// <summary>Today by the hour against what is usual on this weekday.</summary>
    public static Drawing Profile(TrafficDetail detail, Speech say)
    {
        var zone = detail.Station.Zone;
        var typical = detail.TypicalToday;
        var byHour = detail.Hours.GroupBy(hour => WeekPattern.PlaceOf(hour.Start, zone).Hour).ToDictionary(static group => group.Key, static group => group.Last());
        double[] flows = [.. typical.Where(IsUsual).SelectMany(static cell => new[] { cell.Value, cell.High }).Concat(detail.Hours.Select(static hour => hour.Flow)).Where(double.IsFinite)];
        var plot = new Plot(say, 0, Math.Max(10, flows.DefaultIfEmpty(10).Max()), say["traffic.perhour"]);
        double X(int hour) => Plot.Across((hour + 0.5) / 24);
        plot.Picture.Band("band", [.. typical.Select((cell, i) => (X(i), IsUsual(cell) ? plot.Up(cell.Low) : double.NaN, plot.Up(cell.High)))]);
        plot.Picture.Curve("usual", typical.Select((cell, i) => (X(i), IsUsual(cell) ? plot.Up(cell.Value) : double.NaN)));
        plot.Picture.Curve("line", Enumerable.Range(0, 24).Select(i => (X(i), byHour.TryGetValue(i, out var hour) && hour.IsValid ? plot.Up(hour.Flow) : double.NaN)));
        foreach (var (at, hour) in byHour.Where(static one => double.IsFinite(one.Value.Flow)))
        {
            plot.Picture.Dot("mark mark-small" + State(hour.IsValid, false), X(at), plot.Up(hour.Flow), 2.6);
        }

        foreach (var hour in new[] { 0, 6, 12, 18 })
        {
            plot.Below((hour + 0.5) / 24, $"{hour:00}:00");
        }

        return plot.Picture;
    }

    /// <summary>V85 by the hour, from the smallest value to the largest.</summary>
    public static Drawing V85(TrafficDetail detail, Speech say)
    {
        var zone = detail.Station.Zone;
        var known = detail.V85.Where(static hour => hour.Count > 0).ToArray();
        var plot = new Plot(say, known.Min(static hour => hour.Low), known.Max(static hour => hour.High), "km/h");
        var wide = (Plot.Right - Plot.Left) / detail.V85.Count;
        for (var i = 0; i < detail.V85.Count; i++)
        {
            var hour = detail.V85[i];
            if (hour.Count > 0)
            {
                var (top, bottom) = (plot.Up(hour.High) - 1.2, plot.Up(hour.Low) + 1.2);
                plot.Picture.Box("bar", Plot.Left + (i * wide) + (wide * 0.15), top, wide * 0.7, bottom - top);
            }

            if (WeekPattern.PlaceOf(hour.Start, zone).Hour % 12 == 0)
            {
                plot.Below((i + 0.5) / detail.V85.Count, anchor: i > detail.V85.Count - 4 ? "end" : i < 3 ? "start" : "middle", text: WeekPattern.PlaceOf(hour.Start, zone).Hour == 0 ? say.Date(hour.Start, zone, hour.Start) : say.Clock(hour.Start, zone));
            }
        }

        return plot.Picture;
    }

    /// <summary>A bar as long as a share, with the rest of the whole pale.</summary>
    public static Drawing Bar(double share, bool over)
    {
        var picture = new Drawing(100, 6);
        picture.Box("bar-rest", 0, 0, 100, 6);
        picture.Box(over ? "bar bar-over" : "bar", 0, 0, Math.Clamp(share, 0, 1) * 100, 6);
        return picture;
    }

    /// <summary>Whether enough weeks are in a median to call it usual.</summary>
    public static bool IsUsual(PatternCell cell) => cell.Hours >= TrafficReader.WeeksMin;

    private static string State(bool valid, bool over) => !valid ? " is-hollow" : over ? " is-over" : "";
}
