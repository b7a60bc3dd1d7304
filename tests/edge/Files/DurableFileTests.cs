using Hub.Tests.Kit;

namespace Hub.Edge.Files.Tests;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class DurableFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void New_content_takes_the_place_of_the_old_and_leaves_nothing_beside_it()
    {
        var file = _folder.File("state");
        DurableFile.Replace(file, "one"u8);
        DurableFile.Replace(file, "two, longer"u8);
        DurableFile.Replace(file, ""u8);
        Assert.Equal("", File.ReadAllText(file));
        DurableFile.Replace(file, "three"u8);
        Assert.Equal("three", File.ReadAllText(file));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_private_file_is_private_also_after_a_crash_left_a_readable_one()
    {
        var file = _folder.File("secret");
        File.WriteAllText(file + ".new", "half of it");
        File.SetUnixFileMode(file + ".new", DurableFile.Readable);
        DurableFile.Replace(file, "secret"u8, DurableFile.Private);
        Assert.Equal(DurableFile.Private, File.GetUnixFileMode(file));
        DurableFile.Replace(file, "public"u8);
        Assert.Equal(DurableFile.Readable, File.GetUnixFileMode(file) & DurableFile.Readable);
    }

    [Fact]
    public void When_it_cannot_be_written_the_old_content_stays()
    {
        var file = _folder.File("state");
        DurableFile.Replace(file, "old"u8);
        Directory.CreateDirectory(file + ".new");
        Assert.ThrowsAny<Exception>(() => DurableFile.Replace(file, "new"u8));
        Assert.Equal("old", File.ReadAllText(file));
    }

    [Fact]
    public void Removing_what_is_not_there_is_no_error()
    {
        DurableFile.Remove(_folder.File("none"));
        DurableFile.Replace(_folder.File("some"), "x"u8);
        DurableFile.Remove(_folder.File("some"));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_reader_sees_the_old_or_the_new_at_every_instant()
    {
        var file = _folder.File("state");
        byte[] a = new byte[100_000];
        byte[] b = new byte[50_000];
        Array.Fill(a, (byte)'a');
        Array.Fill(b, (byte)'b');
        DurableFile.Replace(file, a);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var reads = 0;
            while (!stop.IsCancellationRequested || reads == 0)
            {
                var read = File.ReadAllBytes(file);
                Assert.True(read.AsSpan().SequenceEqual(a) || read.AsSpan().SequenceEqual(b));
                reads++;
            }

            return reads;
        });
        for (var i = 0; i < 50; i++)
        {
            DurableFile.Replace(file, i % 2 == 0 ? b : a);
        }

        await stop.CancelAsync();
        Assert.True(await reader > 0);
    }

    [Fact]
    public void A_folder_that_is_not_there_cannot_be_flushed() =>
        Assert.Throws<IOException>(() => FolderSync.Flush(_folder.File("none")));
}
