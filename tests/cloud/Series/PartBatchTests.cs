using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Parts written together are all there, or none is.</summary>
public sealed class PartBatchTests : IDisposable
{
    private static readonly int Day = EventTime.Day(EventTime.Micros(new DateTime(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc)));

    private readonly TempFolder _folder = new();
    private readonly PartStore _store;

    public PartBatchTests()
    {
        var folder = new SeriesFolder(_folder.File("series"));
        folder.Take();
        folder.MakeFolders();
        _store = new PartStore(folder, new FakeTimeProvider(), 16, 1_000);
    }

    /// <summary>More of them than are held open at once, of both kinds.</summary>
    [Fact]
    public void All_parts_have_their_names_when_it_is_complete()
    {
        using var batch = new PartBatch(_store);
        for (var day = 0; day < 150; day++)
        {
            Add(batch, PartKind.Observations, Day + day, day);
            Add(batch, PartKind.History, Day + day, day);
        }

        var parts = batch.Complete();
        Assert.Equal(300, parts.Count);
        Assert.Equal(Enumerable.Range(Day, 150).SelectMany(day => new[] { day, day }), parts.Select(part => part.Day));
        foreach (var part in parts)
        {
            using var reader = PartReader.Open(_store.Folder.Part(part));
            using var cursor = reader.ReadAll();
            Assert.True(cursor.MoveNext());
            Assert.Equal(part.Day - Day, cursor.Rows.Get(0, cursor.Datastream).Result);
            Assert.Equal(new FileInfo(_store.Folder.Part(part)).Length, part.Summary.Bytes);
        }

        Assert.Equal(300, Files().Length);
        batch.Remove();
        Assert.Empty(Files());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(140)]
    public void Nothing_stays_of_one_that_was_not_completed(int parts)
    {
        using (var batch = new PartBatch(_store))
        {
            for (var day = 0; day < parts; day++)
            {
                Add(batch, PartKind.Observations, Day + day, day);
            }

            Assert.Equal(parts, Files().Length);
        }

        Assert.Empty(Files());
    }

    /// <summary>A folder where the last part's name should be: the disk refuses.</summary>
    [Fact]
    public void What_the_disk_refuses_leaves_nothing_behind()
    {
        string refused;
        using (var batch = new PartBatch(_store))
        {
            Add(batch, PartKind.Observations, Day, 0);
            refused = Add(batch, PartKind.Observations, Day + 1, 1);
            Directory.CreateDirectory(refused);
            Assert.ThrowsAny<IOException>(() => batch.Complete());
        }

        Assert.Empty(Files());
        Assert.True(Directory.Exists(refused));
    }

    public void Dispose()
    {
        _store.Dispose();
        _store.Folder.Dispose();
        _folder.Dispose();
    }

    private string Add(PartBatch batch, PartKind kind, int day, double result)
    {
        var name = _store.NewPartName(day);
        var path = Path.Combine(_store.Folder.Parts(kind), name);
        using var writer = new PartWriter(path);
        var rows = new ObservationColumns();
        rows.Add(new Observation(7, EventTime.Time(day * 86_400_000_000L), result, Quality.Good));
        writer.Add(7, rows);
        batch.Add(name, kind, day, writer);
        return path;
    }

    private string[] Files() => Directory.GetFiles(Path.Combine(_store.Folder.Root, "parts"), "*", SearchOption.AllDirectories);
}
