using System.Text;
using Hub.Tests.Kit;

namespace Hub.Edge.Files.Tests;

public sealed class SealedFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_and_replaced_as_a_whole()
    {
        var path = _folder.File("state");
        foreach (var text in (string[])["", "{}", "two\nlines\n", new string('x', 100_000), "short again"])
        {
            SealedFile.Write(path, Encoding.UTF8.GetBytes(text), overwrite: true);
            Assert.True(SealedFile.TryRead(path, out var read, out var problem), problem);
            Assert.Equal(text, Encoding.UTF8.GetString(read));
        }

        Assert.Throws<IOException>(() => SealedFile.Write(path, "other"u8, overwrite: false));
        Assert.True(SealedFile.TryRead(path, out var kept, out _));
        Assert.Equal("short again", Encoding.UTF8.GetString(kept));
    }

    /// <summary>Cut at any byte, or any bit turned: noticed.</summary>
    [Fact]
    public void Damage_is_noticed()
    {
        var path = _folder.File("state");
        SealedFile.Write(path, """{"active":[1,2,3]}"""u8, overwrite: true);
        var whole = File.ReadAllBytes(path);
        for (var place = 0; place < whole.Length; place++)
        {
            File.WriteAllBytes(path, whole[..place]);
            Assert.False(SealedFile.TryRead(path, out _, out _));
            for (var bit = 0; bit < 8; bit++)
            {
                byte[] flipped = [.. whole];
                flipped[place] ^= (byte)(1 << bit);
                File.WriteAllBytes(path, flipped);
                Assert.False(SealedFile.TryRead(path, out _, out var problem));
                Assert.Contains("SHA-256", problem, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void What_is_half_written_is_not_the_file()
    {
        var path = _folder.File("state");
        SealedFile.Write(path, "old"u8, overwrite: true);
        File.WriteAllText(path + ".new", "ne");
        Assert.True(SealedFile.TryRead(path, out var text, out _));
        Assert.Equal("old", Encoding.UTF8.GetString(text));
        SealedFile.Write(path, "new"u8, overwrite: true);
        Assert.False(File.Exists(path + ".new"));
    }

    [Fact]
    public void Too_much_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SealedFile.Write(_folder.File("state"), new byte[SealedFile.BytesMax + 1], overwrite: true));
        File.WriteAllBytes(_folder.File("state"), new byte[SealedFile.BytesMax + 1000]);
        Assert.False(SealedFile.TryRead(_folder.File("state"), out _, out var problem));
        Assert.Contains("bytes", problem, StringComparison.Ordinal);
    }
}
