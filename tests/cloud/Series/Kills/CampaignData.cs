using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series.Tests;

/// <summary>A key of the campaign: which datastream, in which round it came first, and its place there.</summary>
internal readonly record struct CampaignKey(int Datastream, int Round, int Place);

/// <summary>Stretch of one datastream that deletions take or leave as a whole.</summary>
internal readonly record struct CampaignCell(int Datastream, int Round, int Block);

/// <summary>
/// What is appended in a campaign: a value is a function of its key and revision, so whoever finds one can tell whether anybody ever sent it. Datastreams with an even number come in order of time,
/// the others scattered over their round, which makes every observation of them late; the last one is for deletions that follow at once.
/// </summary>
internal static class CampaignData
{
    public const int Appenders = 4;
    public const int PerAppender = 3;

    /// <summary>Datastream whose observations are deleted soon after they came.</summary>
    public const int Passing = (Appenders * PerAppender) + 2;

    public const int Revisions = 4;

    /// <summary>Observations of a block of <see cref="Passing"/>.</summary>
    public const int PassingBlock = 40;

    /// <summary>Places of a round stay below this.</summary>
    public const int PlacesMax = 129_600;

    /// <summary>Rounds so far back are deleted; younger ones still get late observations.</summary>
    public const int RoundsKept = 4;

    /// <summary>A round's stretch of event time: not whole days, so that deletions cut parts in two.</summary>
    private static readonly TimeSpan RoundLength = TimeSpan.FromHours(36);
    private static readonly TimeSpan InOrder = TimeSpan.FromMilliseconds(250);
    private static readonly DateTime Start = new(2025, 3, 29, 0, 0, 0, DateTimeKind.Utc);

    public static IEnumerable<int> Datastreams => Enumerable.Range(1, Appenders * PerAppender).Append(Passing);

    public static DateTime RoundStart(int round) => Start + (round * RoundLength);

    public static Observation At(CampaignKey key, int revision)
    {
        var draw = new Random(Mix(key.Datastream, key.Round, key.Place, revision));
        var result = key.Datastream % 3 == 0 ? draw.NextDouble() * 100 : draw.Next(-200, 1_000) / 10.0;
        return new Observation(key.Datastream, TimeOf(key), result, draw.Next(9) == 0 ? Quality.Stuck : Quality.Good)
        {
            Revision = revision,
            Raw = key.Datastream % 4 == 0 ? result * 1.25 : double.NaN,
            Calibration = key.Datastream % 4 == 0 ? 1 + (key.Round % 3) : 0,
            Coverage = draw.Next(5) == 0 ? draw.Next(1, 4) / 4.0 : double.NaN,
        };
    }

    /// <summary>The key that has this time; null when none has.</summary>
    public static CampaignKey? KeyAt(int datastream, DateTime time)
    {
        var round = (int)((time - Start).Ticks / RoundLength.Ticks);
        var within = time - RoundStart(round);
        long place = datastream % 2 == 0
            ? within.Ticks / InOrder.Ticks
            : within.Ticks / TimeSpan.TicksPerSecond * ScatterBack % PlacesMax;
        var key = new CampaignKey(datastream, round, (int)place);
        return time >= Start && TimeOf(key) == time ? key : null;
    }

    public static CampaignCell CellOf(CampaignKey key) => new(
        key.Datastream, key.Round, key.Datastream == Passing ? key.Place / PassingBlock : TimeOf(key) - RoundStart(key.Round) < RoundLength / 2 ? 0 : 1);

    /// <summary>The stretch of event time of a cell.</summary>
    public static (DateTime From, DateTime To) StretchOf(CampaignCell cell)
    {
        var start = RoundStart(cell.Round);
        return cell.Datastream == Passing
            ? (start + (cell.Block * PassingBlock * InOrder), start + ((cell.Block + 1) * PassingBlock * InOrder))
            : (start + (cell.Block * (RoundLength / 2)), start + ((cell.Block + 1) * (RoundLength / 2)));
    }

    /// <summary>Scatters the places over the seconds of a round, each once.</summary>
    private const long Scatter = 7_919;

    /// <summary>Its inverse, modulo the seconds of a round.</summary>
    private static readonly long ScatterBack = Enumerable.Range(1, PlacesMax).First(x => x * Scatter % PlacesMax == 1);

    /// <summary>A seed of several numbers, the same in every process.</summary>
    public static int Mix(params ReadOnlySpan<int> numbers)
    {
        var mixed = 17u;
        foreach (var number in numbers)
        {
            mixed = (mixed ^ (uint)number) * 0x9E3779B1u;
            mixed ^= mixed >> 15;
        }

        return (int)mixed;
    }

    private static DateTime TimeOf(CampaignKey key) =>
        RoundStart(key.Round) + (key.Datastream % 2 == 0 ? key.Place * InOrder : TimeSpan.FromSeconds(key.Place * Scatter % PlacesMax));
}
