using System.Collections.Concurrent;
using System.Text;
using Hub.Tests.Kit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Collects what stations say besides readings.</summary>
internal sealed class Listener : IStationListener
{
    public ConcurrentQueue<StationMessage> Heard { get; } = new();

    /// <summary>Waited for before each message is taken.</summary>
    public Func<StationMessage, Task>? Before { get; set; }

    public IEnumerable<string> Texts => Heard.Select(m => $"{m.Municipality}/{m.Station} {m.Kind}: {Encoding.UTF8.GetString(m.Payload.Span)}");

    public async ValueTask OnMessageAsync(StationMessage message, CancellationToken cancellationToken)
    {
        if (Before is { } before)
        {
            await before(message);
        }

        Heard.Enqueue(message);
    }

    public Task HasAsync(params string[] texts) =>
        Eventually.TrueAsync(() => Texts.Order(StringComparer.Ordinal).SequenceEqual(texts.Order(StringComparer.Ordinal)), $"heard is {string.Join("; ", texts)}");
}
