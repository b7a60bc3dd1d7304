using CsCheck;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Notes of changes are folded as they age and never miss a change.</summary>
public sealed class ChangeNotesTests
{
    [Fact]
    public void Thousand_flushes_leave_a_few_notes_and_every_question_gets_at_least_what_changed()
    {
        using var temp = new TempFolder();
        var folder = new SeriesFolder(temp.Path);
        folder.MakeFolders();
        var (notes, number) = (ChangeNotes.None, 0L);
        var changes = new List<(long Commit, int Datastream, long Micros)>();
        var random = new Random(7);
        for (var flush = 0; flush < 1000; flush++)
        {
            var earliest = new Dictionary<int, long>();
            for (var i = 0; i < 3; i++)
            {
                var (datastream, micros) = (1 + random.Next(20), random.NextInt64(-1_000_000, 1_000_000));
                changes.Add(((flush * 3) + i + 1, datastream, micros));
                earliest[datastream] = Math.Min(earliest.GetValueOrDefault(datastream, long.MaxValue), micros);
            }

            notes = notes.With(ChangeNote.Of((flush * 3) + 1, (flush * 3) + 3, 0, earliest), folder, () => ++number);
            Assert.True(notes.Infos.Length <= 40, $"{notes.Infos.Length} notes after {flush + 1} flushes");
        }

        var read = ChangeNotes.Read(folder, notes.Infos);
        Assert.Equal(1, read.Infos[0].FirstCommit);
        Assert.Equal(3000, read.Infos[^1].LastCommit);
        Assert.All(read.Infos.Zip(read.Infos.Skip(1)), pair => Assert.Equal(pair.First.LastCommit + 1, pair.Second.FirstCommit));
        Gen.Long[0, 3000].Sample(
            commit =>
            {
                var (named, exact) = (new Dictionary<int, long>(), new Dictionary<int, long>());
                read.AddChangedSince(commit, named);
                foreach (var change in changes.Where(change => change.Commit > commit))
                {
                    exact[change.Datastream] = Math.Min(exact.GetValueOrDefault(change.Datastream, long.MaxValue), change.Micros);
                }

                Assert.All(exact, change => Assert.True(named[change.Key] <= change.Value));
                Assert.Equal(commit == 3000, named.Count == 0);
            },
            iter: 200,
            threads: 1);

        // A stretch that is named is not much longer ago than the one asked for.
        var age = 3000 - 2800;
        var note = read.Infos.First(info => info.LastCommit > 2800);
        Assert.True(3000 - note.FirstCommit < 8 * age);
    }

    [Fact]
    public void Damaged_or_missing_note_is_refused_by_name()
    {
        using var temp = new TempFolder();
        var file = temp.File("changes-1");
        var note = ChangeNote.Of(1, 2, 0, new() { [5] = 77, [3] = -1 });
        note.Write(file);
        var info = new ChangeInfo("changes-1", 1, 2, 0);
        var read = new Dictionary<int, long>();
        ChangeNote.Read(file, info).AddTo(read);
        Assert.Equal([(3, -1), (5, 77)], read.OrderBy(change => change.Key).Select(change => (change.Key, change.Value)));
        var bytes = File.ReadAllBytes(file);
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 1;
            File.WriteAllBytes(file, damaged);
            Assert.Contains(file, Assert.Throws<InvalidDataException>(() => ChangeNote.Read(file, info)).Message, StringComparison.Ordinal);
            File.WriteAllBytes(file, bytes[..i]);
            Assert.Contains(file, Assert.Throws<InvalidDataException>(() => ChangeNote.Read(file, info)).Message, StringComparison.Ordinal);
        }

        File.Delete(file);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => ChangeNote.Read(file, info)).Message, StringComparison.Ordinal);
    }
}
