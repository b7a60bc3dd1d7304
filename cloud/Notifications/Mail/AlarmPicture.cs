using BigGustave;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>
/// The picture in a mail: how the value went, the level drawn in, the alarm's time shaded. Without letters, so that it needs no typeface on the server and reads the same in every language: the mail says around it what it
/// shows. Pure.
/// </summary>
/// <param name="Png">PNG, <see cref="Width"/> x <see cref="Height"/>, to be shown at half its size.</param>
/// <param name="From">Begin, UTC.</param>
/// <param name="To">End, UTC.</param>
/// <param name="Low">Smallest value in it, canonical unit.</param>
/// <param name="High">Largest value in it.</param>
internal sealed record AlarmPicture(byte[] Png, DateTime From, DateTime To, double Low, double High)
{
    /// <summary>Pixels; twice what it is shown with, for screens of high resolution.</summary>
    public const int Width = 1120;

    /// <summary>Pixels.</summary>
    public const int Height = 300;

    /// <summary>How long the picture reaches back.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromHours(24);

    private const double LineHalf = 2.2;
    private const int DashLength = 16;
    private static readonly Colour White = new(255, 255, 255);
    private static readonly Colour Grid = new(226, 232, 240);
    private static readonly Colour Shade = new(254, 226, 226);
    private static readonly Colour Band = new(190, 218, 222);
    private static readonly Colour Line = new(11, 95, 105);
    private static readonly Colour Level = new(185, 28, 28);

    /// <summary>The stretch to draw for a message: a day until it was queued, or of what is over long since until shortly after its end.</summary>
    public static (DateTime From, DateTime To) StretchOf(AlarmMessage message, DateTime queuedAt)
    {
        var after = message.EndedAt?.AddHours(2) ?? queuedAt;
        var to = after < queuedAt ? after : queuedAt;
        return (to - Span, to);
    }

    /// <summary>Draws.</summary>
    /// <param name="course">The values.</param>
    /// <param name="message">Whose level and time are drawn in.</param>
    /// <param name="zone">Whose midnight, six, noon and eighteen hours are marked.</param>
    public static AlarmPicture Draw(AlarmCourse course, AlarmMessage message, TimeZoneInfo zone)
    {
        var (low, high) = (course.Points.Min(point => point.Min), course.Points.Max(point => point.Max));
        var (bottom, top) = message.DrawnLevel is { } drawn ? (Math.Min(low, drawn), Math.Max(high, drawn)) : (low, high);
        var margin = top > bottom ? (top - bottom) * 0.08 : Math.Max(1, Math.Abs(top) * 0.1);
        (bottom, top) = (bottom - margin, top + margin);
        var canvas = new Canvas(value => (top - value) / (top - bottom) * (Height - 1), at => (at - course.From) / (course.To - course.From) * (Width - 1));
        canvas.Fill(canvas.X(message.ConditionAt), canvas.X(message.EndedAt ?? course.To), Shade);
        for (var hour = course.From.Date.AddHours(-24); hour < course.To; hour = hour.AddHours(1))
        {
            if (TimeZoneInfo.ConvertTimeFromUtc(hour, zone).Hour % 6 == 0 && hour >= course.From)
            {
                canvas.Fill(canvas.X(hour), canvas.X(hour) + 1, Grid);
            }
        }

        foreach (var point in course.Points)
        {
            canvas.Box(canvas.X(point.At), canvas.X(point.At + course.Step), point.Max, point.Min, Band);
        }

        for (var i = 0; i < course.Points.Count; i++)
        {
            var point = course.Points[i];
            var middle = point.At + (course.Step / 2);

            // Nothing is drawn where nothing was observed.
            if (i > 0 && course.Points[i - 1] is var before && point.At - before.At <= course.Step)
            {
                canvas.Stroke(before.At + (course.Step / 2), before.Value, middle, point.Value, Line);
            }
            else
            {
                canvas.Stroke(point.At, point.Value, middle, point.Value, Line);
            }

            if (i == course.Points.Count - 1 || course.Points[i + 1].At - point.At > course.Step)
            {
                canvas.Stroke(middle, point.Value, point.At + course.Step, point.Value, Line);
            }
        }

        if (message.DrawnLevel is { } level)
        {
            canvas.Dashes(level, Level);
        }

        return new AlarmPicture(canvas.ToPng(), course.From, course.To, low, high);
    }

    private readonly record struct Colour(byte Red, byte Green, byte Blue)
    {
        public Colour Over(Colour under, double share) => new(Mix(under.Red, Red, share), Mix(under.Green, Green, share), Mix(under.Blue, Blue, share));

        private static byte Mix(byte under, byte over, double share) => (byte)Math.Round(under + ((over - under) * share));
    }

    /// <summary>Pixels, in a plane of time and value.</summary>
    private sealed class Canvas(Func<double, double> y, Func<DateTime, double> x)
    {
        private readonly Colour[] pixels = [.. Enumerable.Repeat(White, Width * Height)];

        public double X(DateTime at) => x(at);

        /// <summary>Colours whole columns from one place to another.</summary>
        public void Fill(double from, double to, Colour colour)
        {
            for (var column = Math.Max(0, (int)Math.Round(from)); column < Math.Min(Width, (int)Math.Round(to)); column++)
            {
                for (var row = 0; row < Height; row++)
                {
                    pixels[(row * Width) + column] = colour;
                }
            }
        }

        /// <summary>Colours columns between two values.</summary>
        public void Box(double from, double to, double high, double low, Colour colour)
        {
            for (var column = Math.Max(0, (int)Math.Round(from)); column < Math.Min(Width, (int)Math.Round(to)); column++)
            {
                Column(column, y(high), y(low), colour);
            }
        }

        /// <summary>A line between two points in order of time: of each column the part of it that the line passes, smoothed at its ends.</summary>
        public void Stroke(DateTime from, double start, DateTime to, double end, Colour colour)
        {
            var (left, right) = (x(from), x(to));
            var (first, last) = (y(start), y(end));
            for (var column = Math.Max(0, (int)Math.Floor(left)); column <= Math.Min(Width - 1, (int)Math.Floor(right)); column++)
            {
                var one = At(Math.Max(left, column));
                var other = At(Math.Min(right, column + 1));
                Column(column, Math.Min(one, other) - LineHalf, Math.Max(one, other) + LineHalf, colour);
            }

            double At(double place) => right > left ? first + ((last - first) * (place - left) / (right - left)) : first;
        }

        /// <summary>A dashed line across.</summary>
        public void Dashes(double value, Colour colour)
        {
            for (var column = 0; column < Width; column++)
            {
                if (column % (2 * DashLength) < DashLength)
                {
                    Column(column, y(value) - 1.5, y(value) + 1.5, colour);
                }
            }
        }

        public byte[] ToPng()
        {
            var png = PngBuilder.Create(Width, Height, hasAlphaChannel: false);
            for (var row = 0; row < Height; row++)
            {
                for (var column = 0; column < Width; column++)
                {
                    var (red, green, blue) = pixels[(row * Width) + column];
                    png.SetPixel(red, green, blue, column, row);
                }
            }

            return png.Save();
        }

        private void Column(int column, double top, double bottom, Colour colour)
        {
            for (var row = Math.Max(0, (int)Math.Floor(top)); row <= Math.Min(Height - 1, (int)Math.Floor(bottom)); row++)
            {
                var share = Math.Min(bottom, row + 1) - Math.Max(top, row);
                if (share > 0)
                {
                    ref var pixel = ref pixels[(row * Width) + column];
                    pixel = colour.Over(pixel, share);
                }
            }
        }
    }
}
