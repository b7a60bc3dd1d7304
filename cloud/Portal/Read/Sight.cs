using System.Security.Claims;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read;

/// <summary>Who sees what: everybody the public stations, people with a role their municipality's private ones too.</summary>
internal static class Sight
{
    /// <summary>Whether a visitor may know of a station.</summary>
    public static bool MaySee(this ClaimsPrincipal visitor, Station station) =>
        station.Public || visitor.Holds(Role.Viewer, station.Municipality);
}
