using System.Globalization;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>What everybody may have of the data: which quantities, where, under which licence, in which formats, and by which commands. The same for everybody: only what is public.</summary>
internal sealed class OpenDataModel(
    IStations stations, ISeries series, IMunicipalities municipalities, IEnumerable<ICapAlerts> feeds, PageScope scope) : PageModel
{
    /// <summary>A quantity that is measured.</summary>
    /// <param name="Quantity">Which.</param>
    /// <param name="Stations">Public stations that measure it.</param>
    /// <param name="Newest">End of its newest observation, UTC; null when there is none yet.</param>
    public sealed record Measured(Quantity Quantity, int Stations, DateTime? Newest);

    /// <summary>A command that can be copied.</summary>
    /// <param name="Key">Text key of what it is for.</param>
    /// <param name="Command">For a shell.</param>
    public sealed record Example(string Key, string Command);

    public IReadOnlyList<Municipality> Municipalities => municipalities.All;

    public Municipality? Chosen { get; private set; }

    public IReadOnlyList<Measured> Quantities { get; private set; } = [];

    public IReadOnlyList<Example> Examples { get; private set; } = [];

    /// <summary>Attributions of stations whose data came with conditions of their own, with the stations' names.</summary>
    public IReadOnlyList<(string Attribution, string Stations)> Sources { get; private set; } = [];

    public int StationCount { get; private set; }

    public IActionResult OnGet(string? municipality)
    {
        if (!string.IsNullOrEmpty(municipality))
        {
            if (!municipalities.TryGet(municipality, out var found))
            {
                return this.Missing();
            }

            Chosen = found;
            scope.Municipality = found.Slug;
        }

        var shown = stations.All.Where(station => station.Public && (Chosen is null || station.Municipality == Chosen.Slug)).ToArray();
        var streams = shown.SelectMany(station => stations.DatastreamsOf(station.Id)).Where(static stream => !Units.IsEquipment(stream.Quantity)).ToArray();
        StationCount = shown.Length;
        Quantities =
        [
            .. streams.GroupBy(static stream => stream.Quantity.Id)
                .Select(group => new Measured(group.First().Quantity, group.Select(static stream => stream.Station.Id).Distinct().Count(), group.Max(NewestOf)))
                .OrderBy(static one => Units.RankOf(one.Quantity)).ThenBy(one => scope.Speech.NameOf(one.Quantity), StringComparer.Create(scope.Speech.Culture, ignoreCase: true)),
        ];
        Sources = [.. shown.Where(static station => station.Attribution.Length > 0).GroupBy(static station => station.Attribution).Select(static group => (group.Key, string.Join("; ", group.Select(static station => station.Name))))];

        // One that has data, so that who tries it sees some.
        var example = streams.Where(stream => NewestOf(stream) is not null).OrderBy(static stream => Units.RankOf(stream.Quantity)).FirstOrDefault();
        Examples = example is null ? [] : [.. ExamplesOf(example)];
        return Page();
    }

    private DateTime? NewestOf(Datastream stream) => series.TryGetLatest(stream.Id, out var latest) ? Freshness.EndOf(latest.PhenomenonTime, stream.Period) : null;

    private IEnumerable<Example> ExamplesOf(Datastream stream)
    {
        var api = $"{Request.Scheme}://{Request.Host}{Request.PathBase}/api/v1";
        var town = Chosen?.Slug ?? stream.Station.Municipality;
        var newest = NewestOf(stream)!.Value;
        var day = Iso(newest.AddDays(-1));
        var id = stream.Id.ToString(CultureInfo.InvariantCulture);
        yield return new("stations", $"curl '{api}/stations?municipality={town}'");
        yield return new("latest", $"curl '{api}/observations/latest?municipality={town}&property={stream.Quantity.Id}'");
        yield return new("csv", $"curl '{api}/datastreams/{id}/observations?from={day}&format=csv'");
        yield return new("hours", $"curl '{api}/datastreams/{id}/observations?from={Iso(newest.AddDays(-7))}&every=1h'");
        if (feeds.Any())
        {
            yield return new("alarms", $"curl '{api}/municipalities/{town}/alarms.atom'");
        }

        yield return new("live", $"curl -N '{api}/live?municipality={town}'");
    }

    private static string Iso(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
