using System.Diagnostics.CodeAnalysis;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Transfer.Import;

/// <summary>One column of values, found in its file.</summary>
internal readonly record struct MappedColumn(int Field, string Name, double Factor, double Offset, (int Field, double Above)? OnlyWhere)
{
    /// <summary>Factor and offset applied. Without an offset nothing is added: -0 + 0 would be 0, and an observation comes back as it was.</summary>
    public double Scale(double number) => Offset == 0 ? number * Factor : (number * Factor) + Offset;
}

/// <summary>A target of a mapping, with its columns found in one file, and the series its rows were found to go to.</summary>
internal sealed class MappedTarget
{
    /// <summary>Between the parts of a key; no name holds it.</summary>
    public const char Separator = '\u001f';

    /// <summary>Most series of one target: more means that a template names the wrong column.</summary>
    public const int GroupsMax = 100_000;

    private const int KeyCharactersMax = 1_024;

    private readonly Template[] _parts;
    private readonly Dictionary<string, SeriesGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SeriesGroup>.AlternateLookup<ReadOnlySpan<char>> _find;
    private readonly char[] _key = new char[KeyCharactersMax];
    private readonly bool _isConstant;
    private readonly (string Text, bool IsPrefix, Quality Quality)[]? _words;
    private SeriesGroup? _last;

    public MappedTarget(int index, MappingTarget target, MappingSource source, RowReader row)
    {
        Index = index;
        Mapping = target;
        Filter = target.FilterColumn is { } filter ? (row.Find(filter), target.FilterValue!) : null;
        Columns =
        [
            .. target.Columns.Select(column => new MappedColumn(
                row.Find(column.Column), column.Column, column.Factor, column.Offset, column.OnlyWhere is { } where ? (row.Find(where), column.OnlyAbove) : null)),
        ];
        Coverage = Field(target.CoverageColumn);
        Quality = Field(target.QualityColumn);
        Raw = Field(target.RawColumn);
        Calibration = Field(target.CalibrationColumn);
        Revision = Field(target.RevisionColumn);
        _parts =
        [
            .. new[] { target.Station, target.Sensor, target.Period ?? source.Period ?? "00:00:00" }
                .Concat(target.Columns.SelectMany(column => new[] { column.Quantity, column.Unit ?? "" }))
                .Select(text => Template.Of(text, row.Find)),
        ];
        _isConstant = Array.TrueForAll(_parts, part => part.IsConstant);
        _find = _groups.GetAlternateLookup<ReadOnlySpan<char>>();
        _words = target.QualityWords?.Select(word =>
        {
            QualityText.TryRead(word.Value, out var quality);
            return word.Key.EndsWith('*') ? (word.Key[..^1], true, quality) : (word.Key, false, quality);
        }).ToArray();

        int? Field(string? column) => column is null ? null : row.Find(column);
    }

    /// <summary>Place in the mapping.</summary>
    public int Index { get; }

    /// <summary>As it was written.</summary>
    public MappingTarget Mapping { get; }

    public (int Field, string Text)? Filter { get; }

    public MappedColumn[] Columns { get; }

    public int? Coverage { get; }

    public string? CoverageColumn => Mapping.CoverageColumn;

    public string? CoverageAfter => Mapping.CoverageAfter;

    public int? Quality { get; }

    public string? QualityColumn => Mapping.QualityColumn;

    public bool HasQualityWords => _words is not null;

    public int? Raw { get; }

    public string? RawColumn => Mapping.RawColumn;

    public int? Calibration { get; }

    public string? CalibrationColumn => Mapping.CalibrationColumn;

    public int? Revision { get; }

    public string? RevisionColumn => Mapping.RevisionColumn;

    /// <summary>All series found so far.</summary>
    public IEnumerable<SeriesGroup> Groups => _groups.Values;

    /// <summary>The series a row goes to; false with its key while it is not known.</summary>
    public bool TryGroup(RowReader row, [NotNullWhen(true)] out SeriesGroup? group, out string key)
    {
        key = "";
        if (_isConstant && _last is not null)
        {
            group = _last;
            return true;
        }

        var used = 0;
        foreach (var part in _parts)
        {
            // What does not fit cannot be the name of anything: it is cut, and refused by that name.
            if (used >= _key.Length || !part.TryWrite(row, _key.AsSpan(used), out var written))
            {
                break;
            }

            used += written;
            if (used < _key.Length)
            {
                _key[used++] = Separator;
            }
        }

        var text = _key.AsSpan(0, used);
        if (_last is not null && text.SequenceEqual(_last.Key))
        {
            group = _last;
            return true;
        }

        if (_find.TryGetValue(text, out group))
        {
            _last = group;
            return true;
        }

        key = text.ToString();
        return false;
    }

    /// <summary>Notes a series.</summary>
    /// <exception cref="TransferException">There are too many.</exception>
    public void Add(SeriesGroup group, string file)
    {
        if (_groups.Count >= GroupsMax)
        {
            throw new TransferException($"{file}: target {Index + 1} of the mapping comes to more than {GroupsMax} different series. Does a template name the wrong column?");
        }

        _groups.Add(group.Key, group);
    }

    /// <summary>What a quality's text means.</summary>
    public bool TryQuality(ReadOnlySpan<char> text, out Quality quality)
    {
        if (_words is null)
        {
            return QualityText.TryRead(text, out quality);
        }

        foreach (var (word, isPrefix, meaning) in _words)
        {
            if (isPrefix ? text.StartsWith(word, StringComparison.Ordinal) : text.SequenceEqual(word))
            {
                quality = meaning;
                return true;
            }
        }

        quality = Hub.Edge.Contract.Readings.Quality.Good;
        return false;
    }
}
