namespace Hub.Edge.Calibrations;

/// <summary>What a list of records of one sensor and quantity says. Pure.</summary>
public static class CalibrationHistory
{
    /// <summary>The record in force: the one with the largest version; null when there is none.</summary>
    /// <param name="records">Records of one sensor and quantity, in any order.</param>
    public static CalibrationRecord? InForce(IEnumerable<CalibrationRecord> records) => records.MaxBy(record => record.Version);

    /// <summary>The act that an undo would take back: the last one that was neither taken back nor is an undo itself; null when there is none.</summary>
    /// <param name="records">Records of one sensor and quantity, in any order.</param>
    public static CalibrationRecord? Undoable(IEnumerable<CalibrationRecord> records)
    {
        var standing = new Stack<CalibrationRecord>();
        foreach (CalibrationRecord record in records.OrderBy(record => record.Version))
        {
            if (record.Act != CalibrationAct.Undo)
            {
                standing.Push(record);
            }
            else if (standing.TryPeek(out CalibrationRecord? last) && last.Version == record.Undoes)
            {
                standing.Pop();
            }
        }

        return standing.TryPeek(out CalibrationRecord? top) ? top : null;
    }

    /// <summary>The record of taking an act back.</summary>
    /// <param name="act">What <see cref="Undoable"/> gave.</param>
    /// <param name="inForce">What is in force now.</param>
    /// <param name="version">Version of the new record.</param>
    /// <param name="at">UTC now.</param>
    /// <param name="by">Who.</param>
    /// <param name="agent">Program and version.</param>
    public static CalibrationRecord Undo(CalibrationRecord act, CalibrationTerms inForce, int version, DateTime at, string? by, string agent)
    {
        ArgumentNullException.ThrowIfNull(act);
        return act with
        {
            Version = version,
            Act = CalibrationAct.Undo,
            At = at,
            By = by,
            Reference = null,
            Celsius = null,
            Points = [],
            Before = inForce,
            After = act.Before with { Version = version },
            Undoes = act.Version,
            SensitivityAfter = act.SensitivityBefore - act.Before.Offset,
            Agent = agent,
        };
    }
}
