using System.Collections;
using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Stations;

/// <summary>What tags a station may have: words by which a municipality groups its stations, such as <c>zona-sensivel</c>. Pure.</summary>
public static class StationTags
{
    /// <summary>Most tags of a station.</summary>
    public const int CountMax = 20;

    /// <summary>Longest tag, characters.</summary>
    public const int LengthMax = 40;

    /// <summary>Whether a text is a tag: 1 to 40 of a-z, 0-9 and '-', beginning and ending with a letter or digit.</summary>
    public static bool IsTag(string? text) => text is { Length: <= LengthMax } && HubTopic.IsSlug(text);

    /// <summary>Refuses tags that are none.</summary>
    /// <exception cref="ArgumentException">The message names the tag and the rule.</exception>
    public static void Check(IReadOnlyList<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        if (tags.Count > CountMax)
        {
            throw new ArgumentException($"Tags must be at most {CountMax}, but are {tags.Count}.");
        }

        if (tags.FirstOrDefault(static tag => !IsTag(tag)) is { } wrong)
        {
            throw new ArgumentException($"Tags must each be 1 to {LengthMax} of a-z 0-9 - and begin and end with a letter or digit; '{string.Concat(wrong.Take(LengthMax).Select(c => char.IsControl(c) ? ' ' : c))}' is not.");
        }
    }
}

/// <summary>Tags in order, each once; equal to another of equal tags, as the records it stands in are. Never changes.</summary>
internal sealed class TagList : IReadOnlyList<string>, IEquatable<TagList>
{
    private readonly string[] _tags;

    private TagList(IEnumerable<string> tags) => _tags = [.. tags.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>None.</summary>
    public static TagList None { get; } = new([]);

    public int Count => _tags.Length;

    public string this[int index] => _tags[index];

    /// <summary>The same tags as such a list.</summary>
    public static TagList Of(IReadOnlyList<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        return tags as TagList ?? (tags.Count == 0 ? None : new TagList(tags));
    }

    /// <summary>Whether a tag is among them.</summary>
    public bool Holds(string tag) => Array.BinarySearch(_tags, tag, StringComparer.Ordinal) >= 0;

    /// <summary>The tags of a stored text.</summary>
    public static TagList Parse(string text) => text.Length == 0 ? None : new TagList(text.Split(','));

    public bool Equals(TagList? other) => other is not null && _tags.AsSpan().SequenceEqual(other._tags);

    public override bool Equals(object? obj) => Equals(obj as TagList);

    public override int GetHashCode() => _tags.Aggregate(0, HashCode.Combine);

    /// <summary>As they are stored.</summary>
    public override string ToString() => string.Join(',', _tags);

    public IEnumerator<string> GetEnumerator() => _tags.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
