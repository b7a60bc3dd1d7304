using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tests;

/// <summary>What a start that failed says to the one who has to mend it.</summary>
public sealed class StartFaultTests
{
    private static readonly IConfiguration None = new ConfigurationBuilder().Build();

    [Fact]
    public void A_full_disk_is_said_to_need_free_space_wherever_a_file_was_written()
    {
        // The kernel's own full disk: every write to it fails as one to a disk without room does.
        var written = Assert.ThrowsAny<IOException>(() => File.WriteAllText("/dev/full", "latest values"));

        foreach (var exception in (Exception[])[written, new AggregateException(new InvalidOperationException("The flush failed.", written))])
        {
            var line = StartFault.Explain(exception, None);
            Assert.Contains("/dev/full", line, StringComparison.Ordinal);
            Assert.Contains("free space", line, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', line!);
        }
    }

    [Fact]
    public void Other_faults_of_files_are_said_in_their_own_words_and_a_bug_in_none()
    {
        Assert.Equal("Read-only file system : '/srv/hub'", StartFault.Explain(new IOException("Read-only file system : '/srv/hub'", 30), None));
        Assert.Equal("Access to the path '/srv/hub' is denied.", StartFault.Explain(new UnauthorizedAccessException("Access to the path '/srv/hub' is denied."), None));
        Assert.Contains("quota", StartFault.Explain(new IOException("Disk quota exceeded : '/srv/hub'", 122), None), StringComparison.Ordinal);
        Assert.Null(StartFault.Explain(new InvalidOperationException("Sequence contains no elements"), None));
    }
}
