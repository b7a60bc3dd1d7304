namespace Hub.Edge.Agent;

/// <summary>A setting or file is wrong: a person must act. Each message is one line, complete in itself.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> messages) : Exception(string.Join(Environment.NewLine, messages))
{
    public ConfigurationException(string message) : this([message])
    {
    }

    public IReadOnlyList<string> Messages { get; } = messages;
}
