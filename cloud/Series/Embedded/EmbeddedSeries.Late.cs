namespace Hub.Cloud.Series;

/// <summary>Late calls. All of it but the warning runs on the committer's thread.</summary>
internal sealed partial class EmbeddedSeries
{
    /// <summary>
    /// Days of datastreams that a group may look up in parts while others wait for it: 0.1 to 0.2 ms each, 1.5 ms more where the part has to be opened first. Calls that need more are set aside for
    /// the thread that looks ahead.
    /// </summary>
    internal int LateDaysMax { get; set; } = 64;

    /// <summary>After so many look-ups ahead that were overtaken (by a deletion, or by a flush of the same days) a call is committed all the same.</summary>
    private const int LookedAheadMax = 3;

    private readonly HashSet<(int Datastream, int Day)> _lateDays = [];
    private long _deletions;

    /// <summary>Parts that could not be read and are still live: nothing was done about them.</summary>
    public string? Warning => _damage.Warning(_store);

    /// <summary>Takes calls out of a group whose late keys would keep the others waiting; they come back with their answers. True when there were any.</summary>
    private bool SetAside(List<PendingAppend> group)
    {
        if (_abandon)
        {
            return false;
        }

        using var version = _store.Take();
        var left = LateDaysMax;
        return group.RemoveAll(call =>
        {
            var keys = LateKeysOf(call, version);
            if (_lateDays.Count <= left)
            {
                left -= _lateDays.Count;
                return false;
            }

            return call.LookedAhead < LookedAheadMax && _queue.AsideObservations + call.Observations.Length <= _options.QueueObservationsMax / 2 && _ahead.TryAdd(call, keys);
        }) > 0;
    }

    /// <summary>Late keys of a call, each once; the days that have to be read in parts for them are in <see cref="_lateDays"/>.</summary>
    private List<(int Datastream, long Micros)> LateKeysOf(PendingAppend call, StoreVersion version)
    {
        _lateDays.Clear();
        var keys = new HashSet<(int Datastream, long Micros)>();
        foreach (ref readonly var observation in call.Observations.Span)
        {
            var micros = EventTime.Micros(observation.PhenomenonTime);
            if (!_streams.TryGetValue(observation.Datastream, out var state) || micros > state.LatestMicros || !keys.Add((observation.Datastream, micros)))
            {
                continue;
            }

            var day = EventTime.Day(micros);
            if (!_keys.Knows(observation.Datastream, day) && version.PartsOf(day) is { } parts)
            {
                var known = AnswersOf(call) is { } late && late.Answers(observation.Datastream, micros) ? late : null;
                if (parts.Observations.Any(part => known?.HasRead(part) != true && micros >= part.Info.Summary.MinMicros && micros <= part.Info.Summary.MaxMicros))
                {
                    _lateDays.Add((observation.Datastream, day));
                }
            }
        }

        return [.. keys];
    }

    private LateKeys? AnswersOf(PendingAppend call) => call.Late is { } late && late.Deletions == _deletions ? late : null;

    /// <summary>Decides what the group writes; false when nothing of it is left, because its calls were set aside.</summary>
    private bool TryResolve(List<PendingAppend> group)
    {
        _group.Gather(group);
        if (_resolver.Find(_group.Observations) > LateDaysMax && SetAside(group))
        {
            if (group.Count == 0)
            {
                return false;
            }

            _group.Gather(group);
            _resolver.Find(_group.Observations);
        }

        _lookup.Use([.. group.Select(AnswersOf).OfType<LateKeys>().Distinct()]);
        try
        {
            _resolver.Decide(_group.Observations, _group.Outcomes);
            if (_resolver.Losers.Count > 0)
            {
                // What counts is never among the losers, so it does no harm that it is among these.
                _resolver.Losers.ExceptWith(_lookup.AllOf(_resolver.Losers));
            }
        }
        finally
        {
            _lookup.Use([]);
        }

        return true;
    }
}
