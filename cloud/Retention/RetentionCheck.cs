using System.Globalization;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Retention;

/// <summary>What a policy and a hold must be.</summary>
internal static class RetentionCheck
{
    public const int DaysMax = 36_525;
    public const int ReasonMax = 500;
    public const int PoliciesMax = 500;

    /// <param name="policies">All policies of a municipality.</param>
    /// <param name="keepsRollups">Whether the store keeps rollups without their observations.</param>
    /// <exception cref="ArgumentException">A policy breaks its rule, or is there twice.</exception>
    public static void ThrowIfNot(IReadOnlyList<RetentionPolicy> policies, bool keepsRollups)
    {
        if (policies.Count > PoliciesMax)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"There are {policies.Count} policies; at most {PoliciesMax} are taken."), nameof(policies));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var policy in policies)
        {
            if (policy.Property is { } property && !QuantityCatalogue.TryGet(property, out _))
            {
                throw new ArgumentException($"There is no property \"{property}\".", nameof(policies));
            }

            if (policy.Days is < 1 or > DaysMax)
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{Name(policy)} is kept for {policy.Days} days; expected is 1 to {DaysMax}, or no number to keep for ever."), nameof(policies));
            }

            if (policy.RollupDays is { } rollups)
            {
                if (policy.Days is not { } days || rollups < days || rollups > DaysMax)
                {
                    throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The rollups of {Lower(policy)} are kept for {rollups} days; expected is at least as many as its observations, and at most {DaysMax}, or no number where both go together."), nameof(policies));
                }

                if (!keepsRollups)
                {
                    throw new ArgumentException($"The rollups of {Lower(policy)} cannot be kept longer than its observations on this store of series: only the embedded one and InfluxDB 1.x (Hub:Series:Store) keep rollups alone. Leave the days of rollups out.", nameof(policies));
                }
            }

            if (!seen.Add(policy.Property ?? ""))
            {
                throw new ArgumentException($"{Name(policy)} has two policies.", nameof(policies));
            }
        }
    }

    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    public static void ThrowIfNot(RetentionHold hold)
    {
        if (string.IsNullOrWhiteSpace(hold.Reason) || hold.Reason.Length > ReasonMax)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The reason is empty or longer than {ReasonMax} characters: say why, for those who come later."), nameof(hold));
        }

        if (hold.Property is { } property && !QuantityCatalogue.TryGet(property, out _))
        {
            throw new ArgumentException($"There is no property \"{property}\".", nameof(hold));
        }

        if (hold.From is { Kind: not DateTimeKind.Utc } || hold.To is { Kind: not DateTimeKind.Utc })
        {
            throw new ArgumentException("From and to are given in UTC.", nameof(hold));
        }

        if (hold.From >= hold.To)
        {
            throw new ArgumentException("From must be before to.", nameof(hold));
        }
    }

    private static string Lower(RetentionPolicy policy) => policy.Property is { } property ? $"the property \"{property}\"" : "everything else";

    private static string Name(RetentionPolicy policy) => policy.Property is { } property ? $"The property \"{property}\"" : "Everything else";
}
