using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>QARTOD rate of change test against the two observations before.</summary>
internal static class StepCheck
{
    /// <summary>A verdict depends on observations at most so far before it; an observation decides about verdicts at most so far after it. Microseconds.</summary>
    public static long Reach(StepParameters parameters) => 2 * parameters.GapSeconds * Instants.PerSecond;

    /// <summary>Verdicts in order of time.</summary>
    /// <param name="own">Observations fit to be judged.</param>
    /// <param name="parameters">Limits.</param>
    /// <param name="averaging">How the quantity combines: directions are compared on the circle.</param>
    public static List<Verdict> Judge(Samples own, StepParameters parameters, AveragingRule averaging)
    {
        var verdicts = new List<Verdict>();
        var gap = parameters.GapSeconds * Instants.PerSecond;
        for (var at = 1; at < own.Count; at++)
        {
            if (own.Times[at] - own.Times[at - 1] > gap || !Breaks(at, at - 1, out var change, out var limit))
            {
                continue;
            }

            // Near the one before last: the last was the outlier, and has its own flag.
            if (at > 1 && own.Times[at - 1] - own.Times[at - 2] <= gap && !Breaks(at, at - 2, out _, out _))
            {
                continue;
            }

            verdicts.Add(new Verdict(own.Times[at], change, limit));
        }

        return verdicts;

        bool Breaks(int later, int earlier, out double change, out double limit)
        {
            change = Math.Abs(own.Values[later] - own.Values[earlier]);
            if (averaging == AveragingRule.CircularMean)
            {
                change = Math.Min(change % 360, 360 - (change % 360));
            }

            limit = parameters.Change + (parameters.PerHour * (own.Times[later] - own.Times[earlier]) / Instants.PerHour);
            return change > limit;
        }
    }
}
