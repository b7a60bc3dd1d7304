using System.Collections.Concurrent;
using System.Globalization;
using System.Resources;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Show;

/// <summary>One of the two languages of the pages, with everything that is written differently in it. Immutable.</summary>
internal sealed class Speech
{
    private static readonly ResourceManager Resources = new("Hub.Cloud.Portal.Texts.Texts", typeof(Speech).Assembly);

    /// <summary>European Portuguese.</summary>
    public static readonly Speech Pt = new("pt", "pt-PT");

    /// <summary>English.</summary>
    public static readonly Speech En = new("en", "en-GB");

    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> found = new(StringComparer.Ordinal);

    private Speech(string code, string tag)
    {
        Code = code;
        Tag = tag;
        Culture = CultureInfo.GetCultureInfo(tag);
    }

    /// <summary><c>pt</c> or <c>en</c>.</summary>
    public string Code { get; }

    /// <summary>BCP 47 tag for <c>lang</c> attributes.</summary>
    public string Tag { get; }

    /// <summary>How numbers and dates are written.</summary>
    public CultureInfo Culture { get; }

    /// <summary>The text of a key.</summary>
    /// <exception cref="MissingManifestResourceException">The key is in no resource file: a mistake in the code.</exception>
    public string this[string key] => Resources.GetString(key, Culture) ?? throw new MissingManifestResourceException($"No text for '{key}'.");

    /// <summary>The text of a key with its places filled, numbers written in the language.</summary>
    public string Of(string key, params object[] values) => string.Format(Culture, this[key], values);

    /// <summary>The singular (<c>key.one</c>) or plural (<c>key.many</c>) text for a count, which fills place 0.</summary>
    public string Count(string key, int count) => Of(count == 1 ? key + ".one" : key + ".many", count);

    /// <summary>A number with fixed decimals.</summary>
    public string Figure(double value, int decimals) => value.ToString("N" + decimals.ToString(CultureInfo.InvariantCulture), Culture);

    /// <summary>A place on the globe, e.g. <c>41,55030° N, 8,42290° O</c>.</summary>
    /// <param name="latitude">Degrees, north positive.</param>
    /// <param name="longitude">Degrees, east positive.</param>
    public string Coordinates(double latitude, double longitude) =>
        $"{Figure(Math.Abs(latitude), 5)}° {(latitude < 0 ? this["compass.south"] : this["compass.north"])}, {Figure(Math.Abs(longitude), 5)}° {(longitude < 0 ? this["compass.west"] : this["compass.east"])}";

    /// <summary>A distance: <c>350 m</c>, <c>2,4 km</c>.</summary>
    /// <param name="metres">0 or more.</param>
    public string Distance(double metres) => metres < 1_000 ? Figure(metres, 0) + " m" : Figure(metres / 1_000, metres < 100_000 ? 1 : 0) + " km";

    /// <summary>A quantity's name.</summary>
    public string NameOf(Quantity quantity) => Code == "pt" ? quantity.NamePt : quantity.NameEn;

    /// <summary>A rule's name.</summary>
    public string NameOf(Alerts.Rule rule) => Code == "pt" ? rule.NamePt : rule.NameEn;

    /// <summary>Averaging period in words: <c>15 min</c>, <c>1 h</c>; the word for an instantaneous value when zero.</summary>
    public string Period(TimeSpan period)
    {
        if (period <= TimeSpan.Zero)
        {
            return this["period.instant"];
        }

        var seconds = (long)period.TotalSeconds;
        return seconds % 86_400 == 0 ? Of("period.days", seconds / 86_400)
            : seconds % 3_600 == 0 ? Of("period.hours", seconds / 3_600)
            : seconds % 60 == 0 ? Of("period.minutes", seconds / 60)
            : Of("period.seconds", seconds);
    }

    /// <summary>How long ago, in words; the scripts write the same words (web/src/ages.ts).</summary>
    public string Age(TimeSpan age)
    {
        var seconds = (long)Math.Floor(age.TotalSeconds);
        return seconds < 1 ? this["age.now"]
            : seconds < 60 ? Of("age.seconds", seconds)
            : seconds < 3_600 ? Of("age.minutes", seconds / 60)
            : seconds < 48 * 3_600 ? Of("age.hours", seconds / 3_600)
            : Of("age.days", seconds / 86_400);
    }

    /// <summary>How long something lasted: <c>25 min</c>, <c>3 h 10 min</c>, <c>2 d 4 h</c>.</summary>
    public string Duration(TimeSpan length)
    {
        var minutes = (long)Math.Floor(length.TotalMinutes);
        return minutes < 1 ? Of("period.seconds", Math.Max(0, (long)length.TotalSeconds))
            : minutes < 60 ? Of("period.minutes", minutes)
            : minutes < 48 * 60 ? Joined(Of("period.hours", minutes / 60), minutes % 60, "period.minutes")
            : Joined(Of("period.days", minutes / 1_440), minutes % 1_440 / 60, "period.hours");

        string Joined(string large, long rest, string key) => rest == 0 ? large : large + " " + Of(key, rest);
    }

    /// <summary>Date and time of day in a zone, e.g. <c>22/11, 14:05</c>; the year is added when it is not the present one.</summary>
    public string Moment(DateTime utc, TimeZoneInfo zone, DateTime now)
    {
        var local = TimeZoneInfo.ConvertTimeFromUtc(utc, zone);
        var sameYear = local.Year == TimeZoneInfo.ConvertTimeFromUtc(now, zone).Year;
        return local.ToString(sameYear ? this["format.moment"] : this["format.moment.year"], Culture);
    }

    /// <summary>Date in a zone, e.g. <c>22/11</c>; the year is added when it is not the present one.</summary>
    public string Date(DateTime utc, TimeZoneInfo zone, DateTime now)
    {
        var local = TimeZoneInfo.ConvertTimeFromUtc(utc, zone);
        var sameYear = local.Year == TimeZoneInfo.ConvertTimeFromUtc(now, zone).Year;
        return local.ToString(sameYear ? this["format.date"] : this["format.date.year"], Culture);
    }

    /// <summary>Time of day in a zone, e.g. <c>14:05</c>.</summary>
    public string Clock(DateTime utc, TimeZoneInfo zone) => TimeZoneInfo.ConvertTimeFromUtc(utc, zone).ToString("HH:mm", Culture);

    /// <summary>What is known against a value, in words; the word for good when nothing is.</summary>
    public string QualityWords(Quality quality)
    {
        if (quality == Quality.Good)
        {
            return this["quality.0"];
        }

        List<string> words = [];
        for (var bit = 1; bit <= (int)Quality.Drift; bit <<= 1)
        {
            if (((int)quality & bit) != 0)
            {
                words.Add(this["quality." + bit.ToString(CultureInfo.InvariantCulture)]);
            }
        }

        return string.Join(", ", words);
    }

    /// <summary>All texts whose key begins with one of the prefixes: what the scripts need.</summary>
    public IReadOnlyDictionary<string, string> Some(params string[] keysOrPrefixes) => // Looked together once: each page carries them.
        found.GetOrAdd(string.Join('|', keysOrPrefixes), _ => Find(keysOrPrefixes));

    private SortedDictionary<string, string> Find(string[] keysOrPrefixes)
    {
        SortedDictionary<string, string> some = new(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry entry in Resources.GetResourceSet(CultureInfo.InvariantCulture, createIfNotExists: true, tryParents: false)!)
        {
            var key = (string)entry.Key;
            if (Array.Exists(keysOrPrefixes, prefix => key == prefix || (prefix.EndsWith('.') && key.StartsWith(prefix, StringComparison.Ordinal))))
            {
                some[key] = this[key];
            }
        }

        return some;
    }

    /// <summary>The language of a code; null for any other.</summary>
    public static Speech? Find(string? code) => code switch
    {
        "pt" => Pt,
        "en" => En,
        _ => null,
    };

    /// <summary>The language of an <c>Accept-Language</c> header by its weights; null when it names neither.</summary>
    public static Speech? Accepted(IEnumerable<(string Tag, double Weight)> wanted) =>
        wanted.Where(static w => w.Weight > 0).OrderByDescending(static w => w.Weight).Select(static w => Find(w.Tag.Split('-')[0].ToLowerInvariant())).FirstOrDefault(static s => s is not null);
}
