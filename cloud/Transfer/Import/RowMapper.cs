using System.Globalization;
using Hub.Cloud.Series;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Transfer.Import;

/// <summary>What must be found out before a row can be taken: the series of a target, or the datastream of one of its columns.</summary>
/// <param name="Target">The target.</param>
/// <param name="Group">The series; null while it is not known.</param>
/// <param name="Slot">The column; -1 for the series itself.</param>
/// <param name="Key">What tells the series apart.</param>
internal readonly record struct Unresolved(MappedTarget Target, SeriesGroup? Group, int Slot, string Key);

/// <summary>
/// Makes observations of rows by a mapping. A row is first looked at (<see cref="Look"/>) until nothing of it is unresolved, then taken: so finding a datastream, which may wait
/// for the database, never happens in the middle of a row. Used by one caller at a time.
/// </summary>
internal sealed class RowMapper
{
    private readonly string _file;
    private readonly RowReader _row;
    private readonly MappingSource _source;
    private readonly MappedTarget[] _targets;
    private readonly SeriesGroup?[] _groups;
    private readonly StampReader _stamps;
    private readonly SourceClock _clock;
    private readonly TimeZoneInfo _zone;
    private readonly ImportCounts _counts;
    private readonly ImportReport _report;
    private readonly TimeProvider _time;
    private readonly bool _needsClock;
    private DateTime _latest;

    public RowMapper(string file, RowReader row, TransferFormat format, MappingSource source, ImportCounts counts, ImportReport report, TimeProvider time)
    {
        _file = file;
        _row = row;
        _source = source;
        _counts = counts;
        _report = report;
        _time = time;
        _zone = LocalTime.TryFind(source.Zone, out var zone) ? zone : TimeZoneInfo.Utc;
        _clock = new SourceClock(_zone, source.NewestFirst);
        _needsClock = _zone.SupportsDaylightSavingTime || _zone.GetAdjustmentRules().Length > 0;
        _stamps = new StampReader(source, format, row);
        _targets = [.. source.Targets.Select((target, index) => new MappedTarget(index, target, source, row))];
        _groups = new SeriesGroup?[_targets.Length];
        RenewLatest();
    }

    /// <summary>Where the series of this file stand in local time, to go on from; empty where the zone never changes.</summary>
    public Dictionary<string, long> Clocks() => _needsClock ? _targets.SelectMany(target => target.Groups).Where(group => group.Previous != _clock.Start).ToDictionary(group => group.Key, group => group.Previous) : [];

    /// <summary>Place in time a series begins at.</summary>
    public long ClockStart => _clock.Start;

    /// <summary>The instant after which a time cannot be right is asked of the clock from time to time only.</summary>
    public void RenewLatest() => _latest = _time.GetUtcNow().UtcDateTime + ReadingRules.FutureMax;

    /// <summary>What is not known yet of the row read last; null when it can be taken.</summary>
    public Unresolved? Look()
    {
        if (_row.Fault is not null)
        {
            return null;
        }

        foreach (var target in _targets)
        {
            _groups[target.Index] = null;
            if (target.Filter is { } filter && !_row.Text(filter.Field).SequenceEqual(filter.Text))
            {
                continue;
            }

            if (!target.TryGroup(_row, out var group, out var key))
            {
                return new Unresolved(target, null, -1, key);
            }

            _groups[target.Index] = group;
            if (group.Problem is not null)
            {
                continue;
            }

            for (var slot = 0; slot < group.Slots.Length; slot++)
            {
                if (!group.Slots[slot].IsReady && !IsMissing(target.Columns[slot].Field) && _row.TryNumber(target.Columns[slot].Field, _source.DecimalComma, out _))
                {
                    return new Unresolved(target, group, slot, key);
                }
            }
        }

        return null;
    }

    /// <summary>Takes the row read last: adds its observations, refuses what cannot be one.</summary>
    public void Take(ImportBatch batch)
    {
        _counts.Rows++;
        if (_row.Fault is { } fault)
        {
            Refuse("", _row.Whole, RefusalReason.Malformed, fault);
            return;
        }

        var isAside = true;
        var isTimeRefused = false;
        DateTime? stamp = null;
        foreach (var target in _targets)
        {
            if (_groups[target.Index] is not { } group)
            {
                continue;
            }

            isAside = false;
            if (group.Problem is { } problem)
            {
                Refuse(problem.Column, problem.Value, problem.Reason, problem.Detail);
                continue;
            }

            if (stamp is null)
            {
                if (!_stamps.TryRead(_row, out var read))
                {
                    Refuse(_stamps.Column, _stamps.Text(_row), RefusalReason.Time, $"No time of the form {_stamps.Format}. Correct the value, or timeFormat of the mapping.");
                    return;
                }

                stamp = read;
            }

            // Every series moves on in local time, also over a row that has nothing for it. One wrong time is one refusal, however many targets the row has.
            var problemOfTime = TimeProblem(stamp.Value, group, out var start);
            if (HasNothing(target))
            {
                _counts.Missing += target.Columns.Length;
            }
            else if (problemOfTime is null)
            {
                Take(target, group, start, batch);
            }
            else if (!isTimeRefused)
            {
                isTimeRefused = true;
                Refuse(_stamps.Column, _stamps.Text(_row), RefusalReason.Time, problemOfTime);
            }
        }

        _counts.RowsAside += isAside ? 1 : 0;
    }

    private string? TimeProblem(DateTime stamp, SeriesGroup group, out DateTime start)
    {
        start = default;
        var utc = stamp.Kind == DateTimeKind.Utc ? stamp.Ticks : _clock.ToUtc(stamp, ref group.Previous);
        if (utc is not { } ticks)
        {
            return $"{_source.Zone} never had this local time: the clock went forward over it. Correct the stamp, or the zone of the mapping when the file keeps one offset all year.";
        }

        ticks -= _source.Stamp == "end" ? group.Period.Ticks : 0;
        ticks -= ticks % TimeSpan.TicksPerMicrosecond;
        if (ticks < ReadingRules.TimeMin.Ticks || ticks >= ReadingRules.TimeEnd.Ticks)
        {
            return "The time must be from 2000 to 2099. Correct the value, or timeFormat of the mapping.";
        }

        start = new DateTime(ticks, DateTimeKind.Utc);
        return start > _latest ? "The time is more than 24 h in the future. Correct the value, or the zone of the mapping." : null;
    }

    private bool HasNothing(MappedTarget target)
    {
        foreach (var column in target.Columns)
        {
            if (!IsMissing(column.Field))
            {
                return false;
            }
        }

        return true;
    }

    private void Take(MappedTarget target, SeriesGroup group, DateTime start, ImportBatch batch)
    {
        if (!TryQuality(target, out var quality) || !TryCoverage(target, out var coverage) || !TryWhole(target.Calibration, target.CalibrationColumn, out var calibration)
            || !TryWhole(target.Revision, target.RevisionColumn, out var revision))
        {
            return;
        }

        for (var index = 0; index < target.Columns.Length; index++)
        {
            var column = target.Columns[index];
            var slot = group.Slots[index];
            if (IsMissing(column.Field))
            {
                _counts.Missing++;
                continue;
            }

            if (slot.Problem is { } problem)
            {
                Refuse(column.Name, _row.Text(column.Field), problem.Reason, problem.Detail);
                continue;
            }

            if (!_row.TryNumber(column.Field, _source.DecimalComma, out var number))
            {
                Refuse(column.Name, _row.Text(column.Field), RefusalReason.Value, "Not a finite number. Correct it, or name it under missing when it means \"no value\".");
                continue;
            }

            if (column.OnlyWhere is { } condition && (IsMissing(condition.Field) || !_row.TryNumber(condition.Field, _source.DecimalComma, out var other) || other <= condition.Above))
            {
                _counts.LeftOut++;
                continue;
            }

            var result = slot.Conversion.Convert(column.Scale(number));
            var raw = double.NaN;
            if (target.Raw is { } rawField && !IsMissing(rawField))
            {
                if (!_row.TryNumber(rawField, _source.DecimalComma, out raw))
                {
                    Refuse(target.RawColumn!, _row.Text(rawField), RefusalReason.Value, "The value before calibration is not a finite number. Correct or empty it.");
                    continue;
                }

                raw = slot.Conversion.Convert(column.Scale(raw));
            }

            if (!double.IsFinite(result) || double.IsInfinity(raw))
            {
                Refuse(column.Name, _row.Text(column.Field), RefusalReason.Value, "Too large once factor and unit are applied. Correct the value, or the mapping.");
                continue;
            }

            // Nothing like Sampling stands before a file of somebody else's. Kept and flagged, as everywhere.
            var plausible = _source.Checked || (result >= slot.Quantity!.PlausibleMin && result <= slot.Quantity.PlausibleMax);
            batch.Add(new Observation(slot.Datastream, start, result, plausible ? quality : quality | Quality.OutOfRange)
            {
                Raw = raw,
                Calibration = calibration,
                Coverage = coverage,
                Revision = revision,
            });
        }
    }

    private bool TryQuality(MappedTarget target, out Quality quality)
    {
        quality = Quality.Good;
        if (target.Quality is not { } field)
        {
            return true;
        }

        var text = _row.Text(field);
        if (target.TryQuality(text, out quality))
        {
            return true;
        }

        Refuse(
            target.QualityColumn!, text, RefusalReason.FieldType,
            target.HasQualityWords ? "qualityWords of the mapping does not say what this means. Add it there." : $"Not words of the hub for a quality: {QualityText.All}. Say under qualityWords what it means.");
        return false;
    }

    private bool TryCoverage(MappedTarget target, out double coverage)
    {
        coverage = double.NaN;
        if (target.Coverage is not { } field || IsMissing(field))
        {
            return true;
        }

        double share;
        if (target.CoverageAfter is { } mark)
        {
            var text = _row.Text(field);
            var at = text.LastIndexOf(mark);
            var number = at < 0 ? default : text[(at + mark.Length)..];
            if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share))
            {
                share = -1;
            }
        }
        else if (!_row.TryNumber(field, _source.DecimalComma, out share))
        {
            share = -1;
        }

        if (share < 0)
        {
            Refuse(target.CoverageColumn!, _row.Text(field), RefusalReason.FieldType, "Does not say which share of the period was measured, 0 to 1. Correct it, or coverageAfter of the mapping.");
            return false;
        }

        // A share above 1 is a counter that measured longer than the period; the period is then covered.
        coverage = Math.Min(share, 1);
        return true;
    }

    private bool TryWhole(int? field, string? column, out int number)
    {
        number = 0;
        if (field is not { } at || IsMissing(at))
        {
            return true;
        }

        if (_row.TryNumber(at, decimalComma: false, out var read) && read >= 0 && read <= int.MaxValue && Math.Floor(read) == read)
        {
            number = (int)read;
            return true;
        }

        Refuse(column!, _row.Text(at), RefusalReason.FieldType, "Must be a whole number, 0 or more. Correct it.");
        return false;
    }

    private bool IsMissing(int field)
    {
        if (_row.IsEmpty(field))
        {
            return true;
        }

        if (_source.Missing.Count > 0)
        {
            var text = _row.Text(field);
            foreach (var missing in _source.Missing)
            {
                if (text.SequenceEqual(missing))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void Refuse(string column, ReadOnlySpan<char> value, RefusalReason reason, string detail) => _report.Refuse(_file, _row.Number, column, value, reason, detail);
}
