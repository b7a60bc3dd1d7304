using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;

namespace Hub.Cloud.Portal.Pages.Topics;

/// <summary>Traffic at a counter of a municipality: today against the usual, flow and speed, V85, classes.</summary>
internal sealed class TrafficModel(Reader reader, TrafficReader traffic, LongReads longReads, PageScope scope) : TopicModel(reader, longReads, scope, Topic.Traffic)
{
    public TrafficDetail? Detail { get; private set; }

    /// <param name="municipality">Slug.</param>
    /// <param name="station">Slug of the station shown.</param>
    /// <param name="sensor">Name of the counter shown.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IActionResult> OnGetAsync(string municipality, string? station, string? sensor, CancellationToken cancellationToken) => AnswerAsync(municipality, station, async chosen =>
    {
        var all = TrafficReader.CountersOf(chosen);
        if (sensor is { Length: > 0 } && !all.Contains(sensor))
        {
            return this.Missing();
        }

        Detail = await traffic.DetailAsync(chosen, sensor is { Length: > 0 } ? sensor : all[0], Now, cancellationToken);
        return null;
    }, cancellationToken);
}
