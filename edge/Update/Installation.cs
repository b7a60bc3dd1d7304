using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>From a bundle that has been fetched to the switch: every step on the disk in its order. Cut off anywhere, the agent that runs is started again, or the new one on trial.</summary>
internal static class Installation
{
    /// <summary>Installs beside the agent that runs. Null when the switch is done; otherwise why the bundle is refused, and nothing but rests is left.</summary>
    /// <param name="folders">Where.</param>
    /// <param name="bundle">Path of the bundle.</param>
    /// <param name="trial">The trial to begin.</param>
    /// <param name="expected">Version and machine announced.</param>
    /// <param name="slot">Where it goes: not the slot that runs.</param>
    /// <param name="freeBytes">Free space of a folder's disk.</param>
    /// <param name="verify">Whether the bytes of the manifest (first) are signed by the second.</param>
    /// <param name="ready">Called between the slot's being ready and the switch.</param>
    /// <param name="cancellationToken">Until the slot is placed.</param>
    /// <exception cref="IOException">The disk refused; the agent that runs is untouched.</exception>
    public static string? Install(
        SlotFolders folders, string bundle, Func<TrialFile> trial, BundleExpectation expected, string slot, Func<string, long> freeBytes, Func<byte[], byte[], bool> verify, Action ready,
        CancellationToken cancellationToken)
    {
        folders.PrepareUnpacking();
        if (Bundle.Unpack(bundle, folders.Unpacking, expected, freeBytes, verify, folders.Before, cancellationToken) is { } problem)
        {
            folders.CleanRests();
            return problem;
        }

        cancellationToken.ThrowIfCancellationRequested();
        folders.Place(slot);
        ready();
        folders.Switch(trial());
        return null;
    }

    /// <summary>Does what <see cref="UpdateDecisions.OnStart"/> decides, and remembers it.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static (StartAct Act, TrialFile? Trial, UpdateNotes Notes, bool Damaged) Start(SlotFolders folders, RunningAgent running, DateTime now)
    {
        var (known, damaged) = folders.ReadNotes();
        var trial = folders.ReadTrial();
        var rolledBack = folders.ReadRolledBack();
        var (act, notes) = UpdateDecisions.OnStart(running, folders.Current, trial, rolledBack, known, now);
        switch (act)
        {
            case StartAct.RollBack:
                folders.RollBack(trial!, trial!.Reason ?? notes.Last!.Problem!);
                break;
            case StartAct.Forget:
                folders.Forget();
                break;
        }

        // Remembered first, then forgotten there: a cut in between finds it twice, not never.
        if (notes != known || damaged)
        {
            folders.WriteNotes(notes);
        }

        if (rolledBack.Exists || act == StartAct.RollBack)
        {
            folders.ForgetRolledBack();
        }

        if (act != StartAct.Trial)
        {
            if (running.Slot is { } slot)
            {
                folders.Restore(SlotFolders.Other(slot));
            }

            folders.CleanRests();
            if (notes.Last is not { Step: UpdateStep.Downloading or UpdateStep.Ready })
            {
                folders.CleanDownload(keep: null);
            }
        }

        return (act, trial, notes, damaged);
    }
}
