using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Saves and removes rules for the pages: not over what somebody else changed meanwhile, and with a note for the record as the API writes it. Safe for concurrent callers.</summary>
internal sealed class RuleDesk(IAlerts alerts, IEnumerable<IAudit> audits) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>A rule as it is now; null when there is none.</summary>
    public Rule? Find(string municipality, string slug) => alerts.Rules(municipality).FirstOrDefault(rule => rule.Slug == slug);

    /// <summary>Which state of a rule a form was filled from; empty for none.</summary>
    public static string VersionOf(Rule? rule) => rule is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(RuleFile.Write([rule])))[..12]);

    /// <summary>Saves a rule if it still is in the state that a form was filled from; false when it is not, and nothing is saved.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    public async Task<bool> SaveAsync(Rule rule, string version, string by, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (VersionOf(Find(rule.Municipality, rule.Slug)) != version)
            {
                return false;
            }

            var saved = await alerts.SaveAsync(rule, cancellationToken);
            await NoteAsync(rule.Municipality, "rule-saved", rule.Slug, by, RuleRecord.Of(saved));
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Switches a rule on or off, whatever else was changed of it; false when there is none.</summary>
    public async Task<bool> SwitchAsync(string municipality, string slug, bool enabled, string by, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (Find(municipality, slug) is not { } rule)
            {
                return false;
            }

            if (rule.Enabled != enabled)
            {
                var saved = await alerts.SaveAsync(rule with { Enabled = enabled }, cancellationToken);
                await NoteAsync(municipality, "rule-saved", slug, by, RuleRecord.Of(saved));
            }

            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Removes a rule; nothing happens when there is none.</summary>
    public async Task RemoveAsync(string municipality, string slug, string by, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (Find(municipality, slug) is not null)
            {
                await alerts.RemoveAsync(municipality, slug, cancellationToken);
                await NoteAsync(municipality, "rule-removed", slug, by, new { });
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private Task NoteAsync(string municipality, string action, string slug, string by, object details) => audits.NoteAsync(municipality, action, slug, by, details);
}
