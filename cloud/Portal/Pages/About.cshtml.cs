using Hub.Cloud.Portal.Read;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Whose data this is, how to read it, under which licences.</summary>
internal sealed class AboutModel(IStations stations) : PageModel
{
    /// <summary>Each attribution with the names of the stations it is for.</summary>
    public IReadOnlyList<(string Attribution, string Stations)> Sources { get; private set; } = [];

    public void OnGet() =>
        Sources = [.. stations.All.Where(station => station.Attribution.Length > 0 && User.MaySee(station))
            .GroupBy(static station => station.Attribution)
            .Select(static group => (group.Key, string.Join("; ", group.Select(static station => station.Name))))];
}
