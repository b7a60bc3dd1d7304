using Hub.Cloud.Portal.Read;

namespace Hub.Cloud.Portal.Show;

/// <summary>The drawings of a station's history. All they show stands in a table beside them. Pure.</summary>
internal static class StationPictures
{
    private const double Left = 52;
    private const double Wide = 14.6;
    private const double High = 9;
    private const double Top = 16;

    /// <summary>How much of an hour came, as a class: 0 nothing, 1 less than half, 2 less than 90 %, 3 less than all, 4 all (99.5 % and more); -1 when nothing was due.</summary>
    public static int ClassOf(double share) => double.IsNaN(share) ? -1 : share <= 0 ? 0 : share < 0.5 ? 1 : share < 0.9 ? 2 : share < 0.995 ? 3 : 4;

    /// <summary>The days downwards, newest first, the hours of the local clock across; of an hour that comes twice both are in one cell. An hour without anything is hollow with a cross, one of which only a part came has a notch as high as what is missing.</summary>
    public static Drawing Uptime(UptimeView uptime, TimeZoneInfo zone, Speech say)
    {
        var cells = uptime.Hours.GroupBy(hour => { var local = TimeZoneInfo.ConvertTimeFromUtc(hour.Start, zone); return (Day: DateOnly.FromDateTime(local), local.Hour); })
            .ToDictionary(static group => group.Key, static group => group.Where(static hour => !double.IsNaN(hour.Share)).Select(static hour => hour.Share).DefaultIfEmpty(double.NaN).Average());
        DateOnly[] days = [.. cells.Keys.Select(static key => key.Day).Distinct().OrderDescending()];
        var picture = new Drawing(Left + (24 * Wide) + 2, Top + (days.Length * High) + 2);
        for (var hour = 0; hour < 24; hour += 6)
        {
            picture.Text("axis", Left + (hour * Wide), 11, $"{hour:00}:00");
        }

        for (var row = 0; row < days.Length; row++)
        {
            if (row % 3 == 0)
            {
                picture.Text("axis", Left - 5, Top + (row * High) + High, days[row].ToString(say["format.date"], say.Culture), "end");
            }

            for (var hour = 0; hour < 24; hour++)
            {
                if (!cells.TryGetValue((days[row], hour), out var share) || ClassOf(share) is var kind && kind < 0)
                {
                    continue;
                }

                var (x, y) = (Left + (hour * Wide), Top + (row * High));
                if (kind == 0)
                {
                    picture.Box("up-none", x + 0.5, y + 0.5, Wide - 2, High - 2);
                    picture.Line("up-cross", x + 4, y + 2, x + Wide - 5, y + High - 3);
                }
                else
                {
                    picture.Box("up-" + kind, x, y, Wide - 1, High - 1);
                    if (kind < 4)
                    {
                        picture.Box("up-lack", x + Wide - 5, y, 4, Math.Max(1.5, (High - 1) * (1 - share)));
                    }
                }
            }
        }

        return picture;
    }
}
