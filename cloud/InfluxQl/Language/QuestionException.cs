using System.Globalization;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>Where in a question something stands: line and character, each from 1.</summary>
internal readonly record struct Place(int Line, int Character)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"line {Line}, char {Character}");
}

/// <summary>A question cannot be read or is not supported; the message names the token and its place, and what to do. Answered 400.</summary>
internal sealed class QuestionException : Exception
{
    public QuestionException(string message) : base(message)
    {
    }

    public QuestionException(string message, Place place) : base($"{message} at {place}")
    {
    }
}

/// <summary>A question is understood and cannot be answered: a limit, or what it names is not there. Answered as the error of its statement.</summary>
internal sealed class RefusedException(string message) : Exception(message);
