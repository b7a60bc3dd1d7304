using System.Net;
using System.Text;
using Hub.Edge.Contract.Topics;
using Hub.Edge.Contract.Twin;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Thresholds;

/// <summary>Checks the options at start; each message begins with the full key.</summary>
internal sealed class ThresholdsOptionsValidator : IValidateOptions<ThresholdsOptions>
{
    private const int TopicBytesMax = 512;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ThresholdsOptions options)
    {
        List<string> failures = [];
        Span("PendingGapMax", options.PendingGapMax, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        Span("WithoutHubAfter", options.WithoutHubAfter, TimeSpan.Zero, TimeSpan.FromDays(1));
        Span("RetryDelayMin", options.RetryDelayMin, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Span("RetryDelayMax", options.RetryDelayMax, options.RetryDelayMin, TimeSpan.FromHours(1));
        if (options.Rules.Count > DesiredState.RulesMax)
        {
            failures.Add($"{ThresholdsOptions.Section}:Rules has {options.Rules.Count} entries: give at most {DesiredState.RulesMax}.");
        }

        for (int index = 0; index < options.Rules.Count; index++)
        {
            string key = $"{ThresholdsOptions.Section}:Rules:{index}";
            ThresholdRuleOptions rule = options.Rules[index];
            if (rule.SetLevel is null)
            {
                failures.Add($"{key}:SetLevel is missing: give the level at which the alarm begins.");
            }
            else if (rule.ToRule().Mistake() is { } mistake)
            {
                failures.Add($"{key}:{char.ToUpperInvariant(mistake[0])}{mistake[1..]}");
            }

            if (options.Rules.Take(index).Any(other => other.Slug == rule.Slug))
            {
                failures.Add($"{key}:Slug is '{rule.Slug}' a second time: give each rule a name of its own.");
            }
        }

        if (options.Actions.Count > ThresholdsOptions.ActionsMax)
        {
            failures.Add($"{ThresholdsOptions.Section}:Actions has {options.Actions.Count} entries: give at most {ThresholdsOptions.ActionsMax}.");
        }

        for (int index = 0; index < options.Actions.Count; index++)
        {
            ThresholdActionOptions action = options.Actions[index];
            string key = $"{ThresholdsOptions.Section}:Actions:{index}";
            failures.AddRange(Failures(action, key));
            if (action.Pin is { } pin && options.Actions.Take(index).Any(other => other.Pin == pin))
            {
                failures.Add($"{key}:Pin is {pin}, which an action before it has: two would switch it against each other.");
            }
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Span(string key, TimeSpan value, TimeSpan from, TimeSpan to)
        {
            if (value < from || value > to)
            {
                failures.Add($"{ThresholdsOptions.Section}:{key} is {value}: give {from} to {to}.");
            }
        }
    }

    private static IEnumerable<string> Failures(ThresholdActionOptions action, string key)
    {
        if (!HubTopic.IsSlug(action.Rule))
        {
            yield return $"{key}:Rule is '{action.Rule}': give the slug of a rule.";
        }

        if (action.Pin is null == action.Mqtt is null)
        {
            yield return $"{key} has {(action.Pin is null ? "neither Pin nor Mqtt" : "both Pin and Mqtt")}: give one of them.";
        }

        if (action.Pin is < 0 or > 1023)
        {
            yield return $"{key}:Pin is {action.Pin}: give a BCM number, 0 to 1023.";
        }

        if (action.Mqtt is not { } mqtt)
        {
            yield break;
        }

        if (string.IsNullOrWhiteSpace(mqtt.Address))
        {
            yield return $"{key}:Mqtt:Address is empty: give the host name or address of the broker.";
        }

        if (mqtt.Port is < 1 or > 65535)
        {
            yield return $"{key}:Mqtt:Port is {mqtt.Port}: give 1 to 65535.";
        }

        if (mqtt.Topic.Length == 0 || mqtt.Topic.AsSpan().ContainsAny('+', '#', '\0') || Encoding.UTF8.GetByteCount(mqtt.Topic) > TopicBytesMax)
        {
            yield return $"{key}:Mqtt:Topic is '{mqtt.Topic}': give a topic without + and #, at most {TopicBytesMax} bytes.";
        }

        if (mqtt.PasswordFile is { Length: > 0 } password && (mqtt.UserName is null || !File.Exists(password)))
        {
            yield return mqtt.UserName is null ? $"{key}:Mqtt:PasswordFile is given without {key}:Mqtt:UserName: give both or neither." : $"{key}:Mqtt:PasswordFile '{password}' does not exist.";
        }

        if (!mqtt.Tls && !mqtt.PlainAllowed && !IsThisMachine(mqtt.Address))
        {
            yield return $"{key}:Mqtt:Tls is off and {key}:Mqtt:Address '{mqtt.Address}' is another machine: switch Tls on, or set {key}:Mqtt:PlainAllowed in a closed network.";
        }

        if (mqtt.CaFile is { Length: > 0 } ca && (!mqtt.Tls || !File.Exists(ca)))
        {
            yield return mqtt.Tls ? $"{key}:Mqtt:CaFile '{ca}' does not exist." : $"{key}:Mqtt:CaFile is given but {key}:Mqtt:Tls is off: switch Tls on.";
        }
    }

    private static bool IsThisMachine(string address) =>
        string.Equals(address, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(address, out IPAddress? ip) && IPAddress.IsLoopback(ip));
}
