using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

public sealed class LimitsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task At_the_byte_limit_the_oldest_readings_go_and_are_counted()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, bytesMax: 64 * 1024, segmentBytesMax: 8 * 1024);
        for (var i = 0; i < 3000; i += 3)
        {
            await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
            if (i % 300 == 0)
            {
                Assert.True(Files.SegmentBytes(folder) <= 64 * 1024, "More bytes on disk than allowed.");
            }
        }

        var counters = outbox.Counters;
        Sample.AddUp(counters);
        Assert.Equal(3000, counters.Taken);
        Assert.True(counters.DroppedFull > 0 && counters.Held > 1000, $"{counters}");
        var all = await Sample.DrainAsync(outbox, 100);
        Assert.Equal(Sample.Numbered(3000 - all.Count, all.Count), all.Select(r => r.Reading));

        // What was in flight when it was dropped is acknowledged late: no harm, nothing counted twice.
        await outbox.ReleaseAsync(0, outbox.Head, 0, Cancel);
        await outbox.ReleaseAsync(0, 10, 5, Cancel);
        Assert.Equal(counters, outbox.Counters);
    }

    [Fact]
    public async Task Readings_past_the_age_limit_go_and_are_counted()
    {
        var folder = _folder.File("outbox");
        var time = new FakeTimeProvider(Sample.Start);
        await using (var outbox = Files.Open(folder, ageMax: TimeSpan.FromDays(30), time: time))
        {
            for (var day = 0; day < 40; day++)
            {
                await outbox.AppendAsync(Sample.Numbered(day * 5, 5), Sample.Cursor(day), Cancel);
                time.Advance(TimeSpan.FromDays(1));
            }

            var counters = outbox.Counters;
            Sample.AddUp(counters);
            Assert.InRange(counters.DroppedAge, 8 * 5, 10 * 5);
            Assert.InRange(counters.Held, 30 * 5, 32 * 5);
        }

        time.Advance(TimeSpan.FromDays(100));
        await using var again = Files.Open(folder, ageMax: TimeSpan.FromDays(30), time: time);
        Assert.Equal(new OutboxCounters(200, 0, 0, 0, 200, 0, 0), again.Counters);
        Assert.Equal(39, Sample.Number(again.Cursor("air")));
        await again.AppendAsync(Sample.Numbered(200, 1), null, Cancel);
        Assert.Equal(Sample.Numbered(200, 1), (await Sample.DrainAsync(again)).Select(r => r.Reading));
    }

    [Fact]
    public async Task A_few_readings_a_group_take_at_most_64_bytes_each()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder);
        for (var i = 0; i < 300; i++)
        {
            Reading[] readings =
            [
                new("sds011", "pm2_5", Sample.Start.UtcDateTime.AddSeconds(i), 12.3) { Period = TimeSpan.FromSeconds(60) },
                new("sds011", "pm10", Sample.Start.UtcDateTime.AddSeconds(i), 21.7) { Period = TimeSpan.FromSeconds(60) },
                new("sds011", "relative_humidity", Sample.Start.UtcDateTime.AddSeconds(i), 71) { Period = TimeSpan.FromSeconds(60) },
            ];
            await outbox.AppendAsync(readings, new SourceCursor("sds011", new byte[16]), Cancel);
        }

        Assert.InRange(Files.SegmentBytes(folder) / 900.0, 10, 64);
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_its_name_and_what_to_do()
    {
        var folder = _folder.File("outbox");
        await using (Files.Open(folder))
        {
            var refused = Assert.Throws<OutboxUnavailableException>(() => Files.Open(folder));
            Assert.Equal($"The outbox folder {folder} is in use by another process; stop that agent or give this one another folder.", refused.Message);
        }

        await using var free = Files.Open(folder);
        Assert.Equal(0, free.Counters.Taken);
    }

    [Fact]
    public void A_folder_that_is_a_file_is_refused()
    {
        File.WriteAllText(_folder.File("outbox"), "");
        var refused = Assert.Throws<OutboxUnavailableException>(() => Files.Open(_folder.File("outbox")));
        Assert.Contains("cannot be used", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_append_the_disk_refuses_is_not_kept_and_can_be_tried_again()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, segmentBytesMax: 4096);
        await outbox.AppendAsync(Sample.Numbered(0, 3), null, Cancel);

        // A full segment asks for a new file; the folder's removal makes that impossible.
        Directory.Move(folder, folder + "-away");
        var taken = 3;
        IOException? failure = null;
        while (failure is null)
        {
            try
            {
                await outbox.AppendAsync(Sample.Numbered(taken, 3), null, Cancel);
                taken += 3;
            }
            catch (IOException e)
            {
                failure = e;
            }
        }

        Assert.Equal(taken, outbox.Counters.Taken);
        Directory.Move(folder + "-away", folder);
        await outbox.AppendAsync(Sample.Numbered(taken, 3), null, Cancel);
        Assert.Equal(Sample.Numbered(0, taken + 3), (await Sample.DrainAsync(outbox)).Select(r => r.Reading));
    }

    [Fact]
    public async Task Closing_ends_a_waiting_read()
    {
        var outbox = Files.Open(_folder.File("outbox"));
        var read = outbox.ReadAsync(0, 1, Cancel).AsTask();
        await outbox.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.WaitAsync(Eventually.Limit, Cancel));
        await outbox.DisposeAsync();
    }

    [Theory]
    [InlineData("BytesMax", "1000", "Agent:Outbox:BytesMax is 1000; give 65536 to 1099511627776 bytes.")]
    [InlineData("AgeMax", "00:00:05", "Agent:Outbox:AgeMax is 00:00:05; give 00:01:00 to 3653.00:00:00.")]
    [InlineData("SegmentBytesMax", "1", "Agent:Outbox:SegmentBytesMax is 1; give 4096 to 67108864 bytes.")]
    [InlineData("WriteDelay", "02:00:00", "Agent:Outbox:WriteDelay is 02:00:00; give 00:00:00 to 01:00:00.")]
    [InlineData("JournalFolder", "shm", "Agent:Outbox:JournalFolder is 'shm'; give a path from the root, for instance \"/dev/shm\", or none.")]
    [InlineData("Folder", " ", "Agent:Outbox:Folder is empty; give a folder, for instance \"outbox\".")]
    public void Options_are_checked_with_the_full_key(string key, string value, string message)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"Agent:Outbox:{key}", value)]).Build();
        using var services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddHubOutbox(configuration).AddHubOutbox(configuration).BuildServiceProvider();
        var failure = Assert.Throws<OptionsValidationException>(() => { _ = services.GetRequiredService<IOptions<OutboxOptions>>().Value; });
        Assert.Equal(message, failure.Message);
    }

    [Theory]
    [InlineData("none", 0)]
    [InlineData(null, 1)]
    public async Task No_folder_for_the_journal_means_that_all_is_on_disk_at_once(string? journal, int unwritten)
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "Only Linux has folders in memory.");
        var settings = new Dictionary<string, string?> { ["Agent:Outbox:Folder"] = _folder.File("here") };
        if (journal is not null)
        {
            settings["Agent:Outbox:JournalFolder"] = journal;
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        await using var services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddHubOutbox(configuration).BuildServiceProvider();
        var outbox = services.GetRequiredService<IOutbox>();
        await outbox.AppendAsync(Sample.Numbered(0, 1), null, Cancel);
        Assert.Equal(unwritten, outbox.Counters.Unwritten);
    }

    [Fact]
    public async Task Options_bind_and_the_service_opens()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Agent:Outbox:Folder", _folder.File("here")), new("Agent:Outbox:AgeMax", "30.00:00:00")]).Build();
        await using var services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddHubOutbox(configuration).BuildServiceProvider();
        await services.GetRequiredService<IOutbox>().AppendAsync(Sample.Numbered(0, 1), null, Cancel);
        await services.GetRequiredService<IOutbox>().FlushAsync(Cancel);
        Assert.Single(Files.Segments(_folder.File("here")));
    }
}
