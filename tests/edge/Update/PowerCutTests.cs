using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update.Tests;

/// <summary>The power goes before every step on the disk, in turn; then the real launcher starts what it finds, and the update goes on.</summary>
[Collection(typeof(ProgramStarts))]
public sealed class PowerCutTests : IDisposable
{
    private static readonly DateTime Now = new(2026, 11, 26, 4, 30, 0, DateTimeKind.Utc);
    private readonly TestBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task While_installing()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.0").Current("a");
            wasCut = IsCut(step, slots, folders => Install(slots, folders));

            // The old one runs, or the new one with its way back written down.
            var started = (await slots.LaunchAsync()).Output;
            if (!started.StartsWith("0.0.1 a", StringComparison.Ordinal))
            {
                Assert.StartsWith("0.0.2 b", started, StringComparison.Ordinal);
                Assert.Equal(1, slots.Folders.ReadTrial()!.Starts);
            }
            else
            {
                Assert.True(wasCut);
                Assert.Null(slots.Folders.ReadTrial());
                var (act, _, notes, _) = Installation.Start(slots.Folders, Old, Now);
                Assert.Equal(StartAct.None, act);
                Assert.NotEqual(UpdateStep.RolledBack, notes.Last?.Step);
                Assert.Equal(["a", "b", "current"], Directory.GetFileSystemEntries(slots.Root).Select(Path.GetFileName).Where(name => name is "a" or "b" or "current" or "unpacking" or "removing").Order());
                Assert.Null(Install(slots, slots.Folders));
                Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
            }

            Assert.Equal(StartAct.Trial, Installation.Start(slots.Folders, New, Now).Act);
        }

        Assert.InRange(step, 11, 30);
    }

    [Fact]
    public async Task While_confirming()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Current("a");
            Install(slots, slots.Folders);
            await slots.LaunchAsync();
            wasCut = IsCut(step, slots, folders =>
            {
                var (_, _, notes, _) = Installation.Start(folders, New, Now);
                folders.Confirm();
                folders.WriteNotes(notes with { Last = notes.Last! with { Step = UpdateStep.Installed } });
            });

            // Before the confirmation it is on trial still, after it it is installed; in between there is nothing.
            Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
            var (act, _, after, _) = Installation.Start(slots.Folders, New, Now);
            Assert.Equal(slots.Folders.ReadTrial() is null ? (StartAct.None, UpdateStep.Installed) : (StartAct.Trial, UpdateStep.Trial), (act, after.Last!.Step));
        }

        Assert.InRange(step, 4, 8);
    }

    [Fact]
    public async Task While_the_old_agent_learns_that_it_is_back()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Current("a");
            Install(slots, slots.Folders);
            slots.Folders.GiveUp(slots.Folders.ReadTrial()!, "It did not reach the hub.");
            Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
            wasCut = IsCut(step, slots, folders => Installation.Start(folders, Old, Now));

            var (act, _, notes, _) = Installation.Start(slots.Folders, Old, Now);
            Assert.Equal((StartAct.None, UpdateStep.RolledBack, "It did not reach the hub."), (act, notes.Last!.Step, notes.Last.Problem));
            Assert.Single(notes.Refused);
            Assert.False(slots.Folders.ReadRolledBack().Exists);
        }

        Assert.InRange(step, 4, 8);
    }

    [Fact]
    public async Task While_the_old_agent_goes_back_itself_because_the_launcher_could_not()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Current("a");
            Install(slots, slots.Folders);
            wasCut = IsCut(step, slots, folders => Installation.Start(folders, Old, Now));

            // Whatever stands on the disk now: one of the two is started, and ends where it should.
            var isOld = (await slots.LaunchAsync()).Output.StartsWith("0.0.1 a", StringComparison.Ordinal);
            var (act, _, notes, _) = Installation.Start(slots.Folders, isOld ? Old : New, Now);
            Assert.Equal(isOld ? (StartAct.None, UpdateStep.RolledBack) : (StartAct.Trial, UpdateStep.Trial), (act, notes.Last!.Step));
            Assert.True(isOld || wasCut);
        }

        Assert.InRange(step, 6, 12);
    }

    private static RunningAgent Old { get; } = new("a", "0.0.1", TestBundle.Runtime);

    private static RunningAgent New { get; } = new("b", "0.0.2", TestBundle.Runtime);

    private static bool IsCut(int step, Slots slots, Action<SlotFolders> action)
    {
        var left = step;
        try
        {
            action(new SlotFolders(slots.Root)
            {
                Before = _ =>
                {
                    if (--left == 0)
                    {
                        throw new PowerCutException();
                    }
                },
            });
            return false;
        }
        catch (PowerCutException)
        {
            return true;
        }
    }

    private string? Install(Slots slots, SlotFolders folders)
    {
        var bytes = _bundle.ToBytes();
        var path = Path.Combine(slots.TempPath, "bundle");
        File.WriteAllBytes(path, bytes);
        return Installation.Install(
            folders, path, () => Slots.AtoB(), new BundleExpectation("0.0.2", TestBundle.Runtime), "b", _ => long.MaxValue / 2, _bundle.Verify,
            () => folders.WriteNotes(UpdateNotes.None with { Last = new UpdateRecord("0.0.2", new string('5', 64), UpdateStep.Ready, Now) }), TestContext.Current.CancellationToken);
    }

    private sealed class PowerCutException : Exception;
}
