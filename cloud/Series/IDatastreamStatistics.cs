namespace Hub.Cloud.Series;

/// <summary>
/// Which statistic suits a datastream, so that its rollups hold what is asked of it and nothing else: energy sums for levels, sines and cosines for directions. Optional; the Server implements it from
/// what Stations knows. It decides no figure: what a rollup does not hold is folded from the observations.
/// </summary>
public interface IDatastreamStatistics
{
    /// <summary>
    /// The statistic that represents the quantity of a datastream over a longer period (<see cref="Statistics.Of"/>); null when it is not known: then everything is kept. Called on the thread that writes
    /// rollups, once for each datastream and month written: must return at once and must not throw.
    /// </summary>
    Statistic? Of(int datastream);
}
