using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Audit.Tests;

/// <summary>What is on record stays on record.</summary>
public sealed class AuditTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);
    private ServiceProvider _services = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IAudit Audit => _services.GetRequiredService<IAudit>();

    public async ValueTask InitializeAsync() => _services = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task Entries_come_newest_first_by_municipality_and_action_and_survive_a_restart()
    {
        var first = Note("calibration-corrected", "datastream 1");
        await Audit.NoteAsync(first, Cancel);
        _time.Advance(TimeSpan.FromHours(1));
        await Audit.NoteAsync(Note("rule-saved", "warm") with { Municipality = "aveiro" }, Cancel);
        var last = await Audit.NoteAsync(Note("rule-saved", "noise"), Cancel);

        await _services.DisposeAsync();
        _services = await OpenAsync();
        var all = await Audit.ListAsync("braga", null, null, 10, Cancel);
        Assert.Equal(["noise", "datastream 1"], all.Select(entry => entry.Note.Subject));
        Assert.Equal(new AuditEntry(1, Start.UtcDateTime, first), all[1]);
        Assert.Equal(Start.UtcDateTime.AddHours(1), all[0].At);
        Assert.Equal(["noise"], (await Audit.ListAsync("braga", "rule-saved", null, 10, Cancel)).Select(entry => entry.Note.Subject));
        Assert.Equal(["datastream 1"], (await Audit.ListAsync("braga", null, last, 10, Cancel)).Select(entry => entry.Note.Subject));
        Assert.Single(await Audit.ListAsync("braga", null, null, 0, Cancel));
    }

    public static readonly TheoryData<string> Faults = ["no action", "capitals", "long subject", "long details", "no JSON", "no municipality"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_note_that_is_none_is_refused(string fault)
    {
        var good = Note("rule-saved", "x");
        var wrong = fault switch
        {
            "no action" => good with { Action = "" },
            "capitals" => good with { Action = "Rule saved" },
            "long subject" => good with { Subject = new string('x', 201) },
            "long details" => good with { Details = $"\"{new string('é', 8192)}\"" },
            "no JSON" => good with { Details = "{" },
            _ => good with { Municipality = "" },
        };
        await Assert.ThrowsAsync<ArgumentException>(async () => await Audit.NoteAsync(wrong, Cancel));
        Assert.Empty(await Audit.ListAsync("braga", null, null, 10, Cancel));
    }

    private static AuditNote Note(string action, string subject) => new("braga", action, subject, "ana", """{"gain":1.1}""");

    private async Task<ServiceProvider> OpenAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = _folder.Path }).Build();
        var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(_time).AddHubAudit(configuration).AddHubAudit(configuration).BuildServiceProvider();
        await services.MigrateAuditAsync(Cancel);
        return services;
    }
}
