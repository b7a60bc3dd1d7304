using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>All notes of changes, with their files. Immutable: adding one gives the next list, and what it no longer names may be deleted once the manifest says so.</summary>
internal sealed class ChangeNotes
{
    /// <summary>Entries in memory, all notes together, 12 bytes each; past it the oldest notes are folded whatever their level.</summary>
    public const int EntriesMax = 4_000_000;

    public static readonly ChangeNotes None = new([]);

    private readonly ImmutableArray<(ChangeInfo Info, ChangeNote Note)> _notes;

    private ChangeNotes(ImmutableArray<(ChangeInfo, ChangeNote)> notes) => _notes = notes;

    /// <summary>For the manifest, oldest first.</summary>
    public ImmutableArray<ChangeInfo> Infos => [.. _notes.Select(note => note.Info)];

    public static ChangeNotes Read(SeriesFolder folder, ImmutableArray<ChangeInfo> infos) =>
        new([.. infos.Select(info => (info, ChangeNote.Read(folder.StateFile(info.File), info)))]);

    /// <summary>With one more, folded where there are too many; writes the files that are new.</summary>
    /// <param name="note">Later than all before it.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="number">Gives the number for a file.</param>
    public ChangeNotes With(ChangeNote note, SeriesFolder folder, Func<long> number)
    {
        var notes = new List<(ChangeInfo? Info, ChangeNote Note)>();
        foreach (var known in _notes)
        {
            notes.Add((known.Info, known.Note));
        }

        notes.Add((null, note));
        while (Excess(notes) is { } at)
        {
            notes[at] = (null, notes[at].Note.FoldedWith(notes[at + 1].Note));
            notes.RemoveAt(at + 1);
        }

        return new ChangeNotes([.. notes.Select(entry => (entry.Info ?? Write(entry.Note, folder, number), entry.Note))]);
    }

    /// <summary>Lowers the earliest times by every note that holds a commit after the given one.</summary>
    public void AddChangedSince(long commit, Dictionary<int, long> into)
    {
        foreach (var (_, note) in _notes)
        {
            if (note.LastCommit > commit)
            {
                note.AddTo(into);
            }
        }
    }

    /// <summary>Index of a note to be folded with the one after it. Levels only fall from old to new, so the two oldest of a level are neighbours.</summary>
    private static int? Excess(List<(ChangeInfo? Info, ChangeNote Note)> notes)
    {
        if (notes.Count > 1 && notes.Sum(entry => (long)entry.Note.Count) > EntriesMax)
        {
            return 0;
        }

        for (var at = 0; at + ChangeNote.PerLevel < notes.Count; at++)
        {
            if (notes[at].Note.Level == notes[at + ChangeNote.PerLevel].Note.Level)
            {
                return at;
            }
        }

        return null;
    }

    private static ChangeInfo Write(ChangeNote note, SeriesFolder folder, Func<long> number)
    {
        var info = new ChangeInfo(FormattableString.Invariant($"changes-{number():D8}"), note.FirstCommit, note.LastCommit, note.Level);
        note.Write(folder.StateFile(info.File));
        return info;
    }
}
