using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>QARTOD gross range test. A verdict depends on its own observation alone.</summary>
internal static class RangeCheck
{
    /// <summary>Verdicts in order of time. What is flagged as out of range already is passed over: nothing is to be added.</summary>
    public static List<Verdict> Judge(Samples own, RangeParameters parameters)
    {
        var verdicts = new List<Verdict>();
        for (var at = 0; at < own.Count; at++)
        {
            var value = own.Values[at];
            if ((own.Qualities[at] & Flags.Unfit) == 0 && (value < parameters.Min || value > parameters.Max))
            {
                verdicts.Add(new Verdict(own.Times[at], value, value < parameters.Min ? parameters.Min : parameters.Max));
            }
        }

        return verdicts;
    }
}
