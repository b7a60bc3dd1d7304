using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Stations;

namespace Hub.Cloud.QualityControl;

internal sealed partial class QualityRunner
{
    /// <summary>
    /// A station that moved since: all days from then on whose verdicts depend on where it stood, its own and those of whom it may have been or may now be a neighbour. Stored with the days pending,
    /// so that a stop or a crash forgets none.
    /// </summary>
    private void TakeUpMoves(IReadOnlyList<StationPlace> places)
    {
        if (places.Count == 0 || places[^1].Number <= _placeTakenUp)
        {
            return;
        }

        var taken = _placeTakenUp;
        foreach (var station in places.GroupBy(place => place.StationId))
        {
            var ordered = station.OrderBy(place => place.Location.Since).ThenBy(place => place.Number).ToList();
            var registered = station.Min(place => place.Number);
            for (var at = 0; at < ordered.Count; at++)
            {
                if (ordered[at].Number <= taken || ordered[at].Number == registered)
                {
                    continue;
                }

                // A clock that was set back makes one the first that was not: then it counts for all time.
                var since = at == 0 ? Instants.Micros(Instants.Earliest) : Instants.Micros(ordered[at].Location.Since);
                Moved(station.Key, ordered[at].Location, ordered[at == 0 ? 1 : at - 1].Location, since);
            }
        }

        (_placeTakenUp, _isPendingStored) = (places[^1].Number, false);
    }

    /// <summary>What depends on where a station stands; only the check for spikes does.</summary>
    private void Moved(int stationId, StationLocation to, StationLocation from, long since)
    {
        foreach (var stream in _stations.DatastreamsOf(stationId))
        {
            var (municipality, property) = (stream.Station.Municipality, stream.Quantity.Id);
            var history = _parameters.Of(municipality, property);
            if (history.SpikeReach == 0)
            {
                continue;
            }

            Judge(stream.Id, since, long.MaxValue, 0);
            foreach (var place in new[] { from, to })
            {
                foreach (var other in _places.Near(municipality, property, place.Latitude, place.Longitude, history.SpikeMetres))
                {
                    Judge(other.Id, since, long.MaxValue, 0);
                }
            }
        }
    }
}
