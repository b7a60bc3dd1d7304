using System.Net;
using System.Text.RegularExpressions;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>One element of a page, enough to check a page by.</summary>
internal sealed record HtmlTag(string Name, IReadOnlyDictionary<string, string> Attributes, int Start)
{
    public string? this[string attribute] => Attributes.GetValueOrDefault(attribute);
}

/// <summary>A strict little reader of the pages' own HTML: every element closed in order, every attribute quoted, every reference kept.</summary>
internal sealed partial class Html
{
    private static readonly HashSet<string> Void = ["meta", "link", "input", "br", "hr", "img"];

    private Html(string text, List<HtmlTag> tags, List<string> faults)
    {
        Text = text;
        Tags = tags;
        Faults = faults;
    }

    public string Text { get; }

    public IReadOnlyList<HtmlTag> Tags { get; }

    /// <summary>Everything wrong with the markup; empty for a good page.</summary>
    public IReadOnlyList<string> Faults { get; }

    public static Html Read(string text)
    {
        List<HtmlTag> tags = [];
        List<string> faults = [];
        Stack<HtmlTag> open = [];
        var at = 0;
        while (true)
        {
            var match = Tag().Match(text, at);
            if (!match.Success)
            {
                break;
            }

            at = match.Index + match.Length;
            var name = match.Groups["name"].Value;
            if (match.Groups["close"].Success)
            {
                if (open.Count == 0 || open.Pop() is var last && last.Name != name)
                {
                    faults.Add($"</{name}> at {match.Index} closes another element.");
                }

                continue;
            }

            Dictionary<string, string> attributes = [];
            foreach (Match attribute in Attribute().Matches(match.Groups["rest"].Value))
            {
                if (!attributes.TryAdd(attribute.Groups["key"].Value, WebUtility.HtmlDecode(attribute.Groups["value"].Value)))
                {
                    faults.Add($"<{name}> at {match.Index} has {attribute.Groups["key"].Value} twice.");
                }
            }

            HtmlTag tag = new(name, attributes, match.Index);
            tags.Add(tag);
            if (Void.Contains(name) || match.Groups["self"].Success)
            {
                continue;
            }

            open.Push(tag);
            if (name == "script")
            {
                at = text.IndexOf("</script>", at, StringComparison.Ordinal);
            }
        }

        faults.AddRange(open.Select(tag => $"<{tag.Name}> at {tag.Start} is never closed."));
        Check(tags, text, faults);
        return new(text, tags, faults);
    }

    private static void Check(List<HtmlTag> tags, string text, List<string> faults)
    {
        var ids = tags.Where(tag => tag["id"] is not null).GroupBy(tag => tag["id"]!).ToDictionary(group => group.Key, group => group.Count());
        faults.AddRange(ids.Where(id => id.Value > 1).Select(id => $"id {id.Key} is there {id.Value} times."));
        foreach (var name in new[] { "header", "main", "footer", "h1", "title" })
        {
            if (tags.Count(tag => tag.Name == name && (name != "header" || tag["class"] is "top" or "wall-head")) != 1)
            {
                faults.Add($"There must be one <{name}>.");
            }
        }

        foreach (var tag in tags)
        {
            foreach (var reference in new[] { "for", "aria-labelledby", "aria-describedby" })
            {
                // ARIA takes a list of ids, a label one.
                foreach (var target in tag[reference] is not { } said ? [] : reference == "for" ? [said] : said.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (!ids.ContainsKey(target))
                    {
                        faults.Add($"<{tag.Name} {reference}={target}> refers to nothing.");
                    }
                }
            }

            if (tag.Name is "nav" && tag["aria-label"] is null)
            {
                faults.Add("A <nav> has no name.");
            }

            if (tag.Name is "input" or "select" && tag["type"] != "hidden" && !tags.Any(label => label.Name == "label" && label["for"] == tag["id"]))
            {
                faults.Add($"<{tag.Name} id={tag["id"]}> has no label.");
            }

            if (tag.Name == "use" && tag["href"] is { } symbol && !ids.ContainsKey(symbol[1..]))
            {
                faults.Add($"The sign {symbol} does not exist.");
            }

            if (tag.Name == "a" && tag["href"] is null or "")
            {
                faults.Add("A link leads nowhere.");
            }

            if (tag.Attributes.Keys.Any(key => key == "style" || key.StartsWith("on", StringComparison.Ordinal)))
            {
                faults.Add($"<{tag.Name}> has an inline style or handler, which the content policy refuses.");
            }
        }

        if (!text.StartsWith("<!DOCTYPE html>", StringComparison.Ordinal))
        {
            faults.Add("The page does not begin with its doctype.");
        }
    }

    [GeneratedRegex("""<(?<close>/)?(?<name>[a-zA-Z][a-zA-Z0-9-]*)(?<rest>(?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*(?<self>/)?>""")]
    private static partial Regex Tag();

    [GeneratedRegex("""(?<key>[a-zA-Z:-]+)(?:="(?<value>[^"]*)")?""")]
    private static partial Regex Attribute();
}
