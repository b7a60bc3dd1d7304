namespace Hub.Cloud.Notifications;

/// <summary>What was observed in a short time.</summary>
/// <param name="At">Begin of the time, UTC.</param>
/// <param name="Value">What stands for it: the mean, of sound levels the mean of the energies; canonical unit.</param>
/// <param name="Min">Smallest value.</param>
/// <param name="Max">Largest value.</param>
public readonly record struct CoursePoint(DateTime At, double Value, double Min, double Max);

/// <summary>How the quantity that an alarm is about went, to draw it.</summary>
/// <param name="From">Begin, UTC.</param>
/// <param name="To">End, UTC, exclusive.</param>
/// <param name="Step">Length of time of each point; times without observations have no point.</param>
/// <param name="Points">In order of time, at least one.</param>
public sealed record AlarmCourse(DateTime From, DateTime To, TimeSpan Step, IReadOnlyList<CoursePoint> Points);

/// <summary>Knows what was observed before an alarm. Called by the channels that draw, from several threads.</summary>
public interface IAlarmCourses
{
    /// <summary>The course of the datastream that a message is about, over [from, to); null when nothing was observed, or it says nothing as a line.</summary>
    /// <param name="message">The message.</param>
    /// <param name="from">UTC.</param>
    /// <param name="to">UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<AlarmCourse?> OfAsync(AlarmMessage message, DateTime from, DateTime to, CancellationToken cancellationToken);
}
