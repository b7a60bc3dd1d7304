using System.Buffers.Binary;
using System.Text;
using Hub.Cloud.Stations.Notebook;
using Hub.Tests.Kit;

namespace Hub.Cloud.Stations.Tests;

public sealed class NotebookTests
{
    /// <summary>A drawing of 2 x 1 pixels as JPEG: with a place, a serial number, a comment and a second picture behind its end, to be turned by a quarter.</summary>
    private static byte[] Jpeg(int turn = 6)
    {
        List<byte> file = [0xff, 0xd8];
        Add(0xe0, [.. "JFIF\0"u8, 1, 2, 0, 0, 72, 0, 72, 1, 1, 9, 9, 9]);
        Add(0xe1, [.. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 2, 0, 0x0f, 0x01, 2, 0, 4, 0, 0, 0, (byte)'C', (byte)'a', (byte)'m', 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)turn, 0, 0, 0, 0, 0, 0, 0, .. "GPS 41.55 serial 4711"u8]);
        Add(0xe1, [.. "http://ns.adobe.com/xap/1.0/\0<owner>Ana</owner>"u8]);
        Add(0xe2, [.. "ICC_PROFILE\0"u8, 1, 1, 7]);
        Add(0xfe, [.. "by Ana"u8]);
        Add(0xdb, [0, .. Enumerable.Repeat((byte)1, 64)]);
        Add(0xc0, [8, 0, 1, 0, 2, 1, 1, 0x11, 0]);
        Add(0xc4, [0, .. Enumerable.Repeat((byte)0, 16)]);
        Add(0xda, [1, 1, 0, 0, 63, 0]);
        file.AddRange([0x12, 0xff, 0x00, 0xff, 0xd0, 0x34, 0xff, 0xd9, .. "second picture"u8]);
        return [.. file];

        void Add(byte marker, byte[] body) => file.AddRange([0xff, marker, (byte)((body.Length + 2) >> 8), (byte)(body.Length + 2), .. body]);
    }

    private static byte[] Png(params string[] kinds)
    {
        List<byte> file = [0x89, .. "PNG\r\n\x1a\n"u8];
        foreach (var kind in kinds)
        {
            byte[] body = kind switch { "IHDR" => [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0], "IEND" => [], _ => [.. "Ana"u8] };
            file.AddRange([0, 0, 0, (byte)body.Length, .. Encoding.ASCII.GetBytes(kind), .. body, 1, 2, 3, 4]);
        }

        return [.. file];
    }

    private static byte[] Webp(byte flags, params string[] kinds)
    {
        List<byte> parts = [.. "WEBP"u8];
        foreach (var kind in kinds)
        {
            byte[] body = kind switch { "VP8X" => [flags, 0, 0, 0, 4, 0, 0, 2, 0, 0], "VP8 " => [0, 0, 0, 0x9d, 1, 0x2a, 5, 0, 3, 0], _ => [.. "Ana"u8] };
            parts.AddRange([.. Encoding.ASCII.GetBytes(kind), (byte)body.Length, 0, 0, 0, .. body, .. new byte[body.Length % 2]]);
        }

        return [.. "RIFF"u8, (byte)parts.Count, (byte)(parts.Count >> 8), 0, 0, .. parts];
    }

    [Fact]
    public void A_jpeg_keeps_its_picture_and_how_it_is_turned_and_nothing_else()
    {
        var photo = PhotoFile.Clean(Jpeg());
        Assert.Equal(("image/jpeg", 1, 2), (photo.ContentType, photo.Width, photo.Height));
        var text = Encoding.Latin1.GetString(photo.Bytes);
        foreach (var gone in new[] { "GPS", "4711", "Ana", "Cam", "ICC", "second", "owner" })
        {
            Assert.DoesNotContain(gone, text, StringComparison.Ordinal);
        }

        // What was made is a photo again, with the same turn: cleaning it once more changes nothing.
        Assert.Equal(photo.Bytes, PhotoFile.Clean(photo.Bytes).Bytes);
        Assert.EndsWith("\x12ÿ\0ÿ\xd0" + "4ÿ\xd9", text, StringComparison.Ordinal);
        var straight = PhotoFile.Clean(Jpeg(turn: 1));
        Assert.Equal((2, 1), (straight.Width, straight.Height));
        Assert.DoesNotContain("Exif", Encoding.Latin1.GetString(straight.Bytes), StringComparison.Ordinal);
        Assert.Equal(2, PhotoFile.Clean(Jpeg(turn: 77)).Width);
    }

    [Fact]
    public void A_png_and_a_webp_keep_the_parts_of_the_picture()
    {
        var png = PhotoFile.Clean([.. Png("IHDR", "tEXt", "eXIf", "gAMA", "iCCP", "IDAT", "tIME", "IEND"), .. "behind"u8]);
        Assert.Equal(("image/png", 3, 2), (png.ContentType, png.Width, png.Height));
        Assert.Equal(Png("IHDR", "gAMA", "IDAT", "IEND"), png.Bytes);

        var webp = PhotoFile.Clean([.. Webp(0x3c, "VP8X", "ICCP", "ALPH", "VP8 ", "EXIF", "XMP "), .. "behind"u8]);
        Assert.Equal(("image/webp", 5, 3), (webp.ContentType, webp.Width, webp.Height));
        Assert.Equal(Webp(0x10, "VP8X", "ALPH", "VP8 "), webp.Bytes);
        Assert.Equal((5, 3), (PhotoFile.Clean(Webp(0, "VP8 ")).Width, PhotoFile.Clean(Webp(0, "VP8 ")).Height));
    }

    [Fact]
    public void Whatever_is_cut_off_or_is_something_else_is_refused()
    {
        byte[][] good = [Jpeg(), Png("IHDR", "IDAT", "IEND"), Webp(0, "VP8 ")];
        foreach (var file in good)
        {
            // The JPEG has more behind its end, which may be missing.
            var end = file.AsSpan().IndexOf("second"u8) is >= 0 and var at ? at : file.Length;
            for (var length = 0; length < end; length++)
            {
                Assert.Throws<FormatException>(() => PhotoFile.Clean(file.AsSpan(0, length)));
            }
        }

        Assert.Throws<FormatException>(() => PhotoFile.Clean("<svg onload=alert(1)>"u8));
        Assert.Throws<FormatException>(() => PhotoFile.Clean(Png("IHDR", "acTL", "IDAT", "IEND")));
        Assert.Throws<FormatException>(() => PhotoFile.Clean(Png("IHDR", "ABCD", "IDAT", "IEND")));
        Assert.Throws<FormatException>(() => PhotoFile.Clean(Webp(0x02, "VP8X", "VP8 ")));
        var huge = Png("IHDR", "IDAT", "IEND");
        BinaryPrimitives.WriteInt32BigEndian(huge.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(huge.AsSpan(20), 60_000);
        Assert.Contains("million", Assert.Throws<FormatException>(() => PhotoFile.Clean(huge)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notes_last_with_their_photos_are_told_newest_first_and_are_removed_for_good()
    {
        var stop = TestContext.Current.CancellationToken;
        using TempFolder folder = new();
        StationNote first;
        int id, other;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            id = (await host.RegisterAsync()).Station.Id;
            other = (await host.RegisterAsync(slug: "outra")).Station.Id;
            first = await host.Notebook.AddAsync(id, "ana", " Filtro\r\ntrocado. ", true, [Jpeg(), Png("IHDR", "IDAT", "IEND")], stop);
            host.Time.Advance(TimeSpan.FromMinutes(1));
            await host.Notebook.AddAsync(id, "rui", "Só para nós.", false, [], stop);
            await host.Notebook.AddAsync(other, "rui", "Outra estação.", true, [], stop);
        }

        await using var again = await StationsHost.StartAsync(folder);
        var all = await again.Notebook.ListAsync(id, true, 10, stop);
        Assert.Equal(["Só para nós.", "Filtro\ntrocado."], all.Select(note => note.Text));
        Assert.Equal((first.At, "ana", true), (all[1].At, all[1].By, all[1].Public));
        Assert.Equal(first.Photos, all[1].Photos);
        Assert.Single(await again.Notebook.ListAsync(id, false, 10, stop));
        Assert.Equal(PhotoFile.Clean(Jpeg()).Bytes, (await again.Notebook.PhotoAsync(id, first.Photos[0].Id, stop))!.Value.Bytes);
        Assert.Null(await again.Notebook.PhotoAsync(other, first.Photos[0].Id, stop));
        Assert.Null(await again.Notebook.RemoveAsync(other, first.Id, stop));
        Assert.Equal(first.Text, (await again.Notebook.RemoveAsync(id, first.Id, stop))!.Text);
        Assert.Null(await again.Notebook.PhotoAsync(id, first.Photos[0].Id, stop));
        Assert.Null(await again.Notebook.RemoveAsync(id, first.Id, stop));
    }

    [Fact]
    public async Task A_note_that_breaks_a_rule_is_refused_with_why_and_nothing_is_kept()
    {
        var stop = TestContext.Current.CancellationToken;
        using TempFolder folder = new();
        await using var host = await StationsHost.StartAsync(folder);
        var id = (await host.RegisterAsync()).Station.Id;
        Assert.Equal((NoteFault.Empty, 0), await FaultAsync(" \n ", []));
        Assert.Equal((NoteFault.TooLong, 0), await FaultAsync(new string('x', 2_001), []));
        Assert.Equal((NoteFault.TooManyPhotos, 0), await FaultAsync("x", [Jpeg(), Jpeg(), Jpeg(), Jpeg()]));
        Assert.Equal((NoteFault.PhotoTooLarge, 2), await FaultAsync("x", [Jpeg(), new byte[NotebookRules.PhotoBytesMax + 1]]));
        Assert.Equal((NoteFault.NoPhoto, 2), await FaultAsync("x", [Jpeg(), [1, 2, 3]]));
        Assert.Empty(await host.Notebook.ListAsync(id, true, 10, stop));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Notebook.AddAsync(id + 7, "ana", "x", true, [], stop));

        async Task<(NoteFault, int)> FaultAsync(string text, byte[][] photos)
        {
            var refused = await Assert.ThrowsAsync<NoteRefusedException>(async () => await host.Notebook.AddAsync(id, "ana", text, true, photos, stop));
            return (refused.Fault, refused.Photo);
        }
    }
}
