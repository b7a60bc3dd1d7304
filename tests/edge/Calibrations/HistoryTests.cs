using CsCheck;

namespace Hub.Edge.Calibrations.Tests;

public sealed class HistoryTests
{
    /// <summary>Whatever was done and taken back: in force is what a pile of papers would say, and no version comes twice.</summary>
    [Fact]
    public void Undo_takes_back_one_act_after_the_other() =>
        Gen.Bool.List[0, 40].Sample(steps =>
        {
            List<CalibrationRecord> records = [];
            var pile = new Stack<(double, double)>([(1.0, 0.0)]);
            CalibrationTerms inForce = CalibrationTerms.None;
            foreach (bool undo in steps)
            {
                int version = records.Count + 1;
                if (!undo)
                {
                    records.Add(Sample.Record(version, 1 + (version / 100.0), version, before: inForce));
                    pile.Push((1 + (version / 100.0), version));
                }
                else if (CalibrationHistory.Undoable(records) is { } act)
                {
                    Assert.NotEqual(CalibrationAct.Undo, act.Act);
                    records.Add(CalibrationHistory.Undo(act, inForce, version, Sample.Noon.AddDays(version), "B", "agent"));
                    pile.Pop();
                }
                else
                {
                    Assert.Single(pile);
                    continue;
                }

                CalibrationRecord newest = CalibrationHistory.InForce(records.OrderBy(_ => Random.Shared.Next()))!;
                inForce = newest.After;
                Assert.Equal(pile.Peek(), (inForce.Gain, inForce.Offset));
                Assert.Equal(version, inForce.Version);
            }

            Assert.Equal(records.Count, records.Select(record => record.Version).Distinct().Count());
        });

    [Fact]
    public void What_comes_back_is_as_old_as_it_is()
    {
        CalibrationRecord first = Sample.Record(1, 1.1, at: Sample.Noon.AddDays(-90));
        CalibrationRecord second = Sample.Record(2, 1.2, before: first.After);
        CalibrationRecord undo = CalibrationHistory.Undo(CalibrationHistory.Undoable([first, second])!, second.After, 3, Sample.Noon.AddDays(1), "B", "agent");
        Assert.Equal((3, CalibrationAct.Undo, 2), (undo.Version, undo.Act, undo.Undoes));
        Assert.Equal(new CalibrationTerms(3, 1.1, 0, Sample.Noon.AddDays(-90)), undo.After);
        Assert.Equal(second.After, undo.Before);
        Assert.Empty(undo.Points);
        Assert.Same(first, CalibrationHistory.Undoable([first, second, undo]));
    }

    [Fact]
    public void A_microphone_gets_its_sensitivity_back()
    {
        CalibrationRecord first = Sample.Acoustic(1, 1.5);
        CalibrationRecord undo = CalibrationHistory.Undo(first, first.After, 2, Sample.Noon, null, "agent");
        Assert.Equal((-26.0, -26.0, 0.0), (undo.SensitivityBefore, undo.SensitivityAfter, undo.After.Offset));
    }
}
