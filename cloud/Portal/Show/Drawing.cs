using System.Globalization;
using System.Text;

namespace Hub.Cloud.Portal.Show;

/// <summary>One mark of a drawing: a path, or a text at a place.</summary>
/// <param name="Class">Classes that the style sheet paints it by.</param>
/// <param name="Path">What SVG calls d; null for a text.</param>
/// <param name="X">Of a text, to the right.</param>
/// <param name="Y">Of a text, down.</param>
/// <param name="Text">The text; null for a path.</param>
/// <param name="Anchor">Which end of a text is at X: start, middle or end.</param>
internal sealed record Mark(string Class, string? Path, double X = 0, double Y = 0, string? Text = null, string Anchor = "start");

/// <summary>A small picture for an SVG: what is told beside it in words and in a table. Used by one caller at a time.</summary>
/// <param name="width">Of the picture, its own units.</param>
/// <param name="height">Of the picture.</param>
internal sealed class Drawing(double width, double height)
{
    private readonly List<Mark> _marks = [];

    public double Width => width;

    public double Height => height;

    public IReadOnlyList<Mark> Marks => _marks;

    public void Text(string kind, double x, double y, string text, string anchor = "start") => _marks.Add(new(kind, null, Math.Round(x, 1), Math.Round(y, 1), text, anchor));

    public void Line(string kind, double x, double y, double toX, double toY) => Path(kind, $"M{N(x)} {N(y)}L{N(toX)} {N(toY)}");

    public void Box(string kind, double x, double y, double wide, double high) => Path(kind, $"M{N(x)} {N(y)}h{N(wide)}v{N(high)}h{N(-wide)}z");

    /// <summary>A disc.</summary>
    public void Dot(string kind, double x, double y, double radius) => Path(kind, DotPath(x, y, radius));

    /// <summary>Many small discs in one path.</summary>
    public void Dots(string kind, IEnumerable<(double X, double Y)> places, double radius)
    {
        var path = string.Concat(places.Select(place => DotPath(place.X, place.Y, radius)));
        if (path.Length > 0)
        {
            Path(kind, path);
        }
    }

    /// <summary>A square on its corner.</summary>
    public void Diamond(string kind, double x, double y, double radius) => Path(kind, $"M{N(x)} {N(y - radius)}l{N(radius)} {N(radius)}l{N(-radius)} {N(radius)}l{N(-radius)} {N(-radius)}z");

    /// <summary>A line through points, broken where one is not finite. A point between two breaks is drawn as a short stroke.</summary>
    public void Curve(string kind, IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        var before = false;
        foreach (var (x, y) in points)
        {
            var has = double.IsFinite(y);
            if (has)
            {
                path.Append(before ? 'L' : 'M').Append(N(x)).Append(' ').Append(N(y)).Append(before ? "" : "h0.01");
            }

            before = has;
        }

        if (path.Length > 0)
        {
            Path(kind, path.ToString());
        }
    }

    /// <summary>The area between two lines, broken where one of them is not finite.</summary>
    public void Band(string kind, IReadOnlyList<(double X, double Low, double High)> points)
    {
        var path = new StringBuilder();
        for (var from = 0; from < points.Count; from++)
        {
            var to = from;
            while (to < points.Count && double.IsFinite(points[to].Low) && double.IsFinite(points[to].High))
            {
                to++;
            }

            if (to == from)
            {
                continue;
            }

            // A point alone is as wide as a stroke.
            var wide = to - from == 1 ? 1.5 : 0;
            path.Append('M').AppendJoin('L', points.Take(to).Skip(from).Select(point => $"{N(point.X - wide)} {N(point.High)}")).Append('L')
                .AppendJoin('L', points.Take(to).Skip(from).Reverse().Select(point => $"{N(point.X + wide)} {N(point.Low)}")).Append('z');
            from = to;
        }

        if (path.Length > 0)
        {
            Path(kind, path.ToString());
        }
    }

    /// <summary>A piece of a ring around a place, angles in degrees clockwise from the top.</summary>
    public void Wedge(string kind, double x, double y, double inner, double outer, double from, double to)
    {
        var (a, b) = (from * Math.PI / 180, to * Math.PI / 180);
        string At(double radius, double angle) => $"{N(x + (radius * Math.Sin(angle)))} {N(y - (radius * Math.Cos(angle)))}";
        Path(kind, $"M{At(inner, a)}L{At(outer, a)}A{N(outer)} {N(outer)} 0 0 1 {At(outer, b)}L{At(inner, b)}A{N(inner)} {N(inner)} 0 0 0 {At(inner, a)}z");
    }

    /// <summary>A circle that is not filled.</summary>
    public void Ring(string kind, double x, double y, double radius) => Path(kind, DotPath(x, y, radius));

    private void Path(string kind, string path) => _marks.Add(new(kind, path));

    private static string DotPath(double x, double y, double radius) => $"M{N(x - radius)} {N(y)}a{N(radius)} {N(radius)} 0 1 1 {N(2 * radius)} 0a{N(radius)} {N(radius)} 0 1 1 {N(-2 * radius)} 0z";

    private static string N(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);
}
