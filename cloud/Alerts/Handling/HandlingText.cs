namespace Hub.Cloud.Alerts.Handling;

/// <summary>What people may write.</summary>
internal static class HandlingText
{
    /// <summary>Longest comment.</summary>
    public const int CommentMax = 1_000;

    private const int PersonMax = 256;

    /// <summary>A comment without white space at its ends; null when there is nothing else.</summary>
    /// <exception cref="ArgumentException">It is too long or has control characters other than line breaks.</exception>
    public static string? Optional(string? comment)
    {
        var said = comment?.ReplaceLineEndings("\n").Trim();
        if (string.IsNullOrEmpty(said))
        {
            return null;
        }

        return said.Length <= CommentMax && !said.Any(letter => char.IsControl(letter) && letter != '\n')
            ? said
            : throw new ArgumentException($"The comment has {said.Length} characters or contains control characters; expected are 1 to {CommentMax} characters, line breaks included.", nameof(comment));
    }

    /// <exception cref="ArgumentException">It is no name of a person.</exception>
    public static void DemandPerson(string person, string parameter)
    {
        if (person is not { Length: >= 1 and <= PersonMax } || string.IsNullOrWhiteSpace(person) || person.Any(char.IsControl))
        {
            throw new ArgumentException($"The name of the person must have 1 to {PersonMax} characters, none of them control characters.", parameter);
        }
    }
}
