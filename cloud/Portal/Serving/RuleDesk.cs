using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Saves and removes rules for the pages: not over what somebody else changed meanwhile, and with a note for the record as the API writes it. Safe for concurrent callers.</summary>
internal sealed class RuleDesk(IAlerts alerts, IEnumerable<IAudit> audits) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
            await NoteAsync(rule.Municipality, "rule-saved", rule.Slug, by, Details(saved));
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
                await NoteAsync(municipality, "rule-saved", slug, by, Details(saved));
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

    /// <summary>The rule with the members and words of the API.</summary>
    private static object Details(Rule rule) => new
    {
        rule.Municipality,
        Rule = rule.Slug,
        rule.NamePt,
        rule.NameEn,
        Severity = Low(rule.Severity),
        rule.Property,
        Unit = QuantityCatalogue.TryGet(rule.Property, out var quantity) ? quantity.SenmlUnit : null,
        rule.Station,
        rule.Sensor,
        Period = rule.PeriodSeconds is { } seconds ? Long(TimeSpan.FromSeconds(seconds)) : null,
        Crossing = Low(rule.Crossing),
        rule.SetLevel,
        rule.ClearLevel,
        For = Long(rule.For),
        rule.Enabled,
        rule.Edge,
        Area = rule.Area.Count == 0 ? null : rule.Area.Select(corner => new[] { corner.Longitude, corner.Latitude }),
        rule.SuppressedBy,
        rule.Tag,
        rule.Limit,
        Measure = rule.Measure switch { Measure.NoData => "no-data", Measure.GoodShare => "good-share", _ => Low(rule.Measure) },
        Window = rule.Measure == Measure.Value ? null : Long(rule.Window),
        rule.OnClock,
        Percent = rule.Measure == Measure.Percentile ? rule.Percent : (double?)null,
        CoverageMin = rule.Measure is Measure.Value or Measure.NoData or Measure.Count ? (double?)null : rule.CoverageMin,
        OffFor = Long(rule.OffFor),
        rule.Schedule,
        rule.Source,
        Levels = rule.Levels.Select(level => new { Severity = Low(level.Severity), level.SetLevel, level.ClearLevel, For = Long(level.For), OffFor = Long(level.OffFor) }),
    };

    private static string Low(Enum value) => value.ToString().ToLowerInvariant();

    private static string Long(TimeSpan duration) => duration == TimeSpan.Zero ? "PT0S" : XmlConvert.ToString(duration);

    /// <summary>The visitor may leave; what is done is noted all the same.</summary>
    private async Task NoteAsync(string municipality, string action, string slug, string by, object details)
    {
        if (audits.LastOrDefault() is { } audit)
        {
            await audit.NoteAsync(new AuditNote(municipality, action, slug, by.Length <= 200 ? by : by[..200], JsonSerializer.Serialize(details, Json)), CancellationToken.None);
        }
    }
}
