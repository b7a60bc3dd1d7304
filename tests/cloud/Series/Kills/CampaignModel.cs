using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A deletion as its process has said it: "before ROUND", or "cells ROUND BLOCK DATASTREAMS".</summary>
internal sealed record CampaignDeletion(string What)
{
    private readonly string[] _words = What.Split(' ');

    /// <summary>Rounds below it are meant as a whole; 0 when cells are meant.</summary>
    public int Before => _words[0] == "before" ? Number(_words[1]) : 0;

    public IEnumerable<CampaignCell> Cells =>
        _words[0] == "cells" ? _words[3].Split(',').Select(datastream => new CampaignCell(Number(datastream), Number(_words[1]), Number(_words[2]))) : [];

    public bool Covers(CampaignCell cell) => cell.Round < Before || Cells.Contains(cell);

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}

/// <summary>
/// What a store must hold, by what its processes have said and what was seen in it before: of each key the best of the acknowledged revisions or a better one, the others in the history; nothing of
/// a stretch whose deletion was acknowledged; of one whose deletion was cut off all or nothing.
/// </summary>
internal sealed class CampaignModel
{
    /// <summary>Revisions of a key that must be there, as bits.</summary>
    private readonly Dictionary<CampaignKey, int> _must = [];
    private readonly HashSet<CampaignCell> _gone = [];
    private readonly List<CampaignDeletion> _open = [];
    private readonly List<CampaignDeletion> _begun = [];

    public CampaignModel()
    {
    }

    private CampaignModel(CampaignModel other)
    {
        (_must, _gone, _open, _begun) = (new(other._must), [.. other._gone], [.. other._open], [.. other._begun]);
        (GoneBefore, LastCommit) = (other.GoneBefore, other.LastCommit);
    }

    /// <summary>Rounds below it are gone as a whole.</summary>
    public int GoneBefore { get; private set; }

    /// <summary>Largest commit that somebody knows to be durable.</summary>
    public long LastCommit { get; private set; }

    public long Acknowledged { get; private set; }

    /// <summary>Values found that had lost, over all checks.</summary>
    public long Lost { get; private set; }

    public int Deletions { get; private set; }

    public int DeletionsCutOff { get; private set; }

    public int DeletionsThatTookPlaceUnsaid { get; private set; }

    /// <summary>What must hold of a copy that is begun now.</summary>
    public CampaignModel Copy() => new(this);

    /// <summary>Deletions that began while the copy was made: it may hold what they take, or not.</summary>
    public void AlsoOpen(CampaignModel later) => _open.AddRange(later._begun.Skip(_begun.Count));

    /// <summary>Takes note of a line.</summary>
    public void Hear(string line)
    {
        var words = line.Split(' ', 2);
        switch (words[0])
        {
            case "open":
                var opened = long.Parse(words[1], CultureInfo.InvariantCulture);
                Assert.True(opened >= LastCommit, $"commit numbers go on after a crash: {opened} after {LastCommit}");
                LastCommit = opened;
                break;
            case "ack":
                HearAcknowledged(words[1].Split(' '));
                break;
            case "deleting":
                _open.Add(new CampaignDeletion(words[1]));
                _begun.Add(_open[^1]);
                break;
            case "deleted":
                Deletions++;
                var deletion = _open.Single(open => open.What == words[1]);
                _open.Remove(deletion);
                Forget(deletion);
                break;
            default:
                break;
        }
    }

    private void HearAcknowledged(string[] words)
    {
        LastCommit = Math.Max(LastCommit, long.Parse(words[0], CultureInfo.InvariantCulture));
        var datastream = int.Parse(words[1], CultureInfo.InvariantCulture);
        foreach (var one in words[2].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int[] numbers = [.. one.Split(':').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
            Must(new CampaignKey(datastream, numbers[0], numbers[1]), 1 << numbers[2]);
            Acknowledged++;
        }
    }

    /// <summary>Reads everything in an open store and compares. Deletions that were cut off are decided by what is found.</summary>
    public async Task VerifyAsync(EmbeddedSeries series, CancellationToken cancel)
    {
        Assert.True(series.LastCommit >= LastCommit, $"the store ends with commit {series.LastCommit}, {LastCommit} was acknowledged");
        var found = new Dictionary<CampaignKey, int>();
        foreach (var datastream in CampaignData.Datastreams)
        {
            var history = await HistoryAsync(series, datastream, cancel);
            using var model = new MemorySeries();
            var rows = new List<Observation>();
            await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, cancel))
            {
                Assert.True(rows.Count == 0 || observation.PhenomenonTime > rows[^1].PhenomenonTime, "in order and none twice");
                rows.Add(observation);
                var key = KeyOf(observation);
                history.Remove(key, out var lost);
                Assert.True(lost >> observation.Revision == 0, $"{key} counts with revision {observation.Revision}, its history holds one that is no worse ({lost:b})");
                found[key] = lost | (1 << observation.Revision);
                Lost += int.PopCount(lost);
            }

            Assert.True(history.Count == 0, $"the history of {history.Keys.FirstOrDefault()} is there without a value that counts");
            Assert.Equal(rows.Count > 0, series.TryGetLatest(datastream, out var latest));
            if (rows.Count > 0)
            {
                Assert.Equal(rows[^1], latest);
                await model.AppendAsync(rows.ToArray(), cancel);
                await CompareFiguresAsync(series, model, datastream, cancel);
            }
        }

        Compare(found);
        foreach (var (key, revisions) in found)
        {
            // What was seen is durable: it must be there the next time.
            Must(key, revisions);
        }

        LastCommit = series.LastCommit;
    }

    /// <summary>Figures of hours and local days are those of the rows, to the last bit, whatever they are served from.</summary>
    private static async Task CompareFiguresAsync(EmbeddedSeries series, MemorySeries model, int datastream, CancellationToken cancel)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        foreach (var width in new[] { new BucketWidth(TimeSpan.FromHours(1)), new BucketWidth(TimeSpan.FromDays(1), zone) })
        {
            var query = new AggregateQuery(datastream, DateTime.UnixEpoch, DateTime.MaxValue, width, datastream % 2 == 0 ? Statistic.Mean : Statistic.EnergyMean);
            Assert.Equal(await model.AggregateAsync(query, cancel), await series.AggregateAsync(query, cancel));
        }
    }

    private void Compare(Dictionary<CampaignKey, int> found)
    {
        foreach (var deletion in _open)
        {
            // One change of the manifest: of what was known there, all or nothing.
            var known = _must.Keys.Where(key => deletion.Covers(CampaignData.CellOf(key))).ToList();
            var there = known.Count(found.ContainsKey);
            Assert.True(there == 0 || there == known.Count, $"{there} of {known.Count} observations are left of a deletion that was cut off ({deletion.What})");
            DeletionsCutOff++;
            if (there == 0 && known.Count > 0)
            {
                DeletionsThatTookPlaceUnsaid++;
                Forget(deletion);
            }
        }

        _open.Clear();
        foreach (var (key, must) in _must)
        {
            Assert.True(found.TryGetValue(key, out var revisions), $"{key} was acknowledged and is missing");
            Assert.True((must & ~revisions) == 0, $"of {key} the revisions {must:b} were acknowledged, {revisions:b} are there");
        }

        foreach (var key in found.Keys)
        {
            Assert.False(IsGone(CampaignData.CellOf(key)), $"{key} was deleted and is there again");
        }
    }

    private static async Task<Dictionary<CampaignKey, int>> HistoryAsync(EmbeddedSeries series, int datastream, CancellationToken cancel)
    {
        var history = new Dictionary<CampaignKey, int>();
        await foreach (var lost in series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, cancel))
        {
            var key = KeyOf(lost);
            history.TryGetValue(key, out var others);
            Assert.True((others & (1 << lost.Revision)) == 0, $"revision {lost.Revision} of {key} is in the history twice");
            history[key] = others | (1 << lost.Revision);
        }

        return history;
    }

    private static CampaignKey KeyOf(Observation observation)
    {
        var key = CampaignData.KeyAt(observation.Datastream, observation.PhenomenonTime);
        Assert.True(key is not null && observation.Revision is >= 0 and < CampaignData.Revisions, $"nobody sent {observation}");
        Assert.Equal(CampaignData.At(key.Value, observation.Revision), observation);
        return key.Value;
    }

    private void Must(CampaignKey key, int revisions) => _must[key] = _must.GetValueOrDefault(key) | revisions;

    private void Forget(CampaignDeletion deletion)
    {
        GoneBefore = Math.Max(GoneBefore, deletion.Before);
        _gone.UnionWith(deletion.Cells);
        _gone.RemoveWhere(cell => cell.Round < GoneBefore);
        foreach (var key in _must.Keys.Where(key => deletion.Covers(CampaignData.CellOf(key))).ToList())
        {
            _must.Remove(key);
        }
    }

    private bool IsGone(CampaignCell cell) => cell.Round < GoneBefore || _gone.Contains(cell);
}
