using System.Security.Claims;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read;

/// <summary>What the charts of a station's page are compared with.</summary>
/// <param name="Name">As the address says it: <c>yesterday</c>, <c>week</c>, or <c>municipality/station</c>.</param>
/// <param name="Shift">How much earlier; zero for another station.</param>
/// <param name="Other">The other station; null for the same one.</param>
internal sealed record StationCompare(string Name, TimeSpan Shift, Station? Other)
{
    /// <summary>Stations offered at most.</summary>
    public const int ChoicesMax = 30;

    /// <summary>What an address asks for; null for nothing, for what is none, and for a station that the visitor may not know of: all alike.</summary>
    public static StationCompare? Of(string? name, Station self, IStations stations, ClaimsPrincipal visitor)
    {
        switch (name)
        {
            case null or "":
                return null;
            case "yesterday":
                return new(name, TimeSpan.FromDays(1), null);
            case "week":
                return new(name, TimeSpan.FromDays(7), null);
        }

        var parts = name.Split('/');
        return parts.Length == 2 && stations.TryGet(parts[0], parts[1], out var other) && other.Id != self.Id && visitor.MaySee(other) ? new(name, TimeSpan.Zero, other) : null;
    }

    /// <summary>Stations that the visitor may see and that observe something of what this one does, nearest first.</summary>
    public static IReadOnlyList<(Station Station, double Metres)> Choices(Station self, IStations stations, ClaimsPrincipal visitor)
    {
        var own = Quantities(self);
        return
        [
            .. from other in stations.All
               where other.Id != self.Id && visitor.MaySee(other)
               let metres = Distance.Metres(self.Latitude, self.Longitude, other.Latitude, other.Longitude)
               orderby metres, other.Municipality, other.Slug
               where Quantities(other).Overlaps(own)
               select (other, metres),
        ];

        HashSet<string> Quantities(Station station) => [.. stations.DatastreamsOf(station.Id).Select(static one => one.Quantity.Id).Where(static id => !Units.Equipment.Contains(id))];
    }

    /// <summary>The datastream to compare one with; null when there is none. Of several of the other station the one with the nearest averaging period, then the first.</summary>
    public Datastream? Counterpart(Datastream datastream, IStations stations) =>
        Other is null
            ? datastream
            : stations.DatastreamsOf(Other.Id).Where(one => one.Quantity.Id == datastream.Quantity.Id).MinBy(one => (one.Period - datastream.Period).Duration());
}
