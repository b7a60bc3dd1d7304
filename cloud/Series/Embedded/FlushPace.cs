namespace Hub.Cloud.Series;

/// <summary>How far the active table may fill while the frozen ones before it are written: pure.</summary>
internal static class FlushPace
{
    /// <summary>How often the flusher tells how far it is, in the course of one table at least.</summary>
    public const int Steps = 64;

    /// <summary>Rows of a table that may come at once whatever the flusher does, of its whole: a burst need not wait.</summary>
    private const double AtOnce = 0.25;

    /// <summary>
    /// A quarter of the table at once, and the rest in step with what is written, so that it is full when its predecessor is in parts.
    /// </summary>
    /// <param name="tableRowsMax">Rows with which a table is full, 1 or more.</param>
    /// <param name="written">Rows of the table being written that are in parts, 0 to <paramref name="rows"/>.</param>
    /// <param name="rows">Rows of that table; 0 counts as written.</param>
    public static long RowsMax(long tableRowsMax, long written, long rows) =>
        rows <= 0 ? tableRowsMax : (long)(tableRowsMax * (AtOnce + ((1 - AtOnce) * Math.Clamp((double)written / rows, 0, 1))));
}
