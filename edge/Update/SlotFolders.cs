using Hub.Edge.Files;
namespace Hub.Edge.Update;

/// <summary>
/// The folders and files below the root, and every change of them, each made of steps that a power cut may fall between: <c>a</c>, <c>b</c> the slots; <c>current</c> a link to one; <c>trial</c>;
/// <c>rolled-back</c>, left by the launcher; <c>update.json</c>; <c>download/</c>; <c>unpacking/</c> what becomes a slot; <c>removing/</c> what was one. One user at a time.
/// </summary>
/// <param name="root">The folder, absolute.</param>
internal sealed class SlotFolders(string root)
{
    public static readonly string[] Slots = ["a", "b"];

    public string Root => root;

    public string Download => Path.Combine(root, "download");

    public string Unpacking => Path.Combine(root, "unpacking");

    /// <summary>Called before each step on the disk; a test cuts the power here.</summary>
    public Action<string> Before { get; init; } = _ => { };

    private string TrialPath => Path.Combine(root, "trial");

    private string RolledBackPath => Path.Combine(root, "rolled-back");

    private string NotesPath => Path.Combine(root, "update.json");

    private string CurrentPath => Path.Combine(root, "current");

    private string Removing => Path.Combine(root, "removing");

    public static string Other(string slot) => slot == "a" ? "b" : "a";

    public string Slot(string slot) => Path.Combine(root, slot);

    /// <summary>The slot the launcher starts; null when the link is missing or points elsewhere.</summary>
    public string? Current => new FileInfo(CurrentPath).LinkTarget is "a" or "b" ? new FileInfo(CurrentPath).LinkTarget : null;

    /// <summary>The trial; null when there is none, or one that cannot be read: the launcher has the say on that.</summary>
    public TrialFile? ReadTrial() => Read(TrialPath, TrialFile.BytesMax) is { } bytes && TrialFile.TryRead(bytes, out var trial) ? trial : null;

    /// <summary>What the launcher took back; known is false for a file that is there and cannot be read.</summary>
    public (bool Exists, TrialFile? Trial) ReadRolledBack() =>
        Read(RolledBackPath, TrialFile.BytesMax) is { } bytes ? (true, TrialFile.TryRead(bytes, out var trial) ? trial : null) : (File.Exists(RolledBackPath), null);

    /// <summary>What is remembered; damaged when the file is there and cannot be read.</summary>
    public (UpdateNotes Notes, bool Damaged) ReadNotes() => Read(NotesPath, UpdateNotes.BytesMax) is { } bytes
        ? UpdateNotes.Read(bytes) is { } notes ? (notes, false) : (UpdateNotes.None, true)
        : (UpdateNotes.None, File.Exists(NotesPath));

    public void WriteNotes(UpdateNotes notes)
    {
        Before("notes");
        DurableFile.Replace(NotesPath, notes.ToUtf8());
    }

    /// <summary>An empty folder to unpack into.</summary>
    public void PrepareUnpacking()
    {
        Before("unpacking emptied");
        Remove(Unpacking);
        Directory.CreateDirectory(Unpacking);
    }

    /// <summary>Makes what was unpacked and flushed a slot, in place of what stood there. The slot that runs is never touched.</summary>
    public void Place(string slot)
    {
        Before("removing emptied");
        Remove(Removing);
        if (Directory.Exists(Slot(slot)))
        {
            // Aside in one step: a half deleted slot could look whole to the launcher.
            Before("slot set aside");
            DurableFile.Rename(Slot(slot), Removing);
        }

        Before("slot placed");
        DurableFile.Rename(Unpacking, Slot(slot));
        Before("removing deleted");
        Remove(Removing);
    }

    /// <summary>The switch: first the way back, then the way forward.</summary>
    public void Switch(TrialFile trial)
    {
        Before("trial written");
        DurableFile.Replace(TrialPath, trial.ToUtf8());
        Before("current switched");
        DurableFile.Link(CurrentPath, trial.To);
    }

    /// <summary>The trial is passed: the file goes, in one step.</summary>
    public void Confirm()
    {
        Before("trial confirmed");
        DurableFile.Remove(TrialPath);
    }

    /// <summary>A switch that never came about is forgotten.</summary>
    public void Forget()
    {
        Before("trial forgotten");
        DurableFile.Remove(TrialPath);
    }

    /// <summary>Writes why the agent on trial is to be taken back; the launcher does it.</summary>
    public void GiveUp(TrialFile trial, string reason)
    {
        Before("reason written");
        DurableFile.Replace(TrialPath, (trial with { Reason = reason }).ToUtf8());
    }

    /// <summary>Goes back, as the launcher does: reason, link, name of the file.</summary>
    public void RollBack(TrialFile trial, string reason)
    {
        GiveUp(trial, reason);
        Before("current switched back");
        DurableFile.Link(CurrentPath, trial.From);
        Before("trial renamed");
        DurableFile.Rename(TrialPath, RolledBackPath);
    }

    /// <summary>After what the launcher took back is in the notes.</summary>
    public void ForgetRolledBack()
    {
        Before("rolled-back forgotten");
        DurableFile.Remove(RolledBackPath);
    }

    /// <summary>Deletes what was fetched, save one file name without its ending.</summary>
    public void CleanDownload(string? keep)
    {
        if (!Directory.Exists(Download))
        {
            return;
        }

        foreach (var file in Directory.GetFiles(Download))
        {
            if (keep is null || Path.GetFileNameWithoutExtension(file) != keep)
            {
                Before("download deleted");
                File.Delete(file);
            }
        }
    }

    /// <summary>Gives a slot back what was set aside for an agent that did not get there. It is deleted only after another one stands in its place, so it is whole.</summary>
    public void Restore(string slot)
    {
        if (!Directory.Exists(Slot(slot)) && Directory.Exists(Removing))
        {
            Before("slot restored");
            DurableFile.Rename(Removing, Slot(slot));
        }
    }

    /// <summary>Deletes what is no slot and no download: the rests of an update that was cut off.</summary>
    public void CleanRests()
    {
        Before("rests deleted");
        Remove(Unpacking);
        Remove(Removing);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[]? Read(string path, int bytesMax)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= bytesMax ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
