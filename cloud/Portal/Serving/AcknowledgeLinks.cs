using System.Security.Cryptography;
using System.Text.Json;
using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.DataProtection;

namespace Hub.Cloud.Portal.Serving;

/// <summary>
/// Links by which an operator acknowledges an alarm from a mail, without signing in: a token that is good for one alarm, one person and a few days, and for nothing else. Whoever has it
/// can do this one thing in the person's name; that the person is still an operator is asked again when it is used. Safe for concurrent callers.
/// </summary>
public sealed class AcknowledgeLinks
{
    /// <summary>How long a link is good.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(3);

    private readonly IDataProtector protector;
    private readonly IEnumerable<IRoles> roles;
    private readonly TimeProvider time;

    /// <summary>Makes links with the keys that sign sessions, under a purpose of their own.</summary>
    public AcknowledgeLinks(IDataProtectionProvider protection, IEnumerable<IRoles> roles, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(protection);
        (protector, this.roles, this.time) = (protection.CreateProtector("Hub.Cloud.Portal.AcknowledgeLinks.v1"), roles, time);
    }

    /// <summary>What a token is good for.</summary>
    /// <param name="Alarm">Identifier of the alarm, or of its thread.</param>
    /// <param name="Municipality">Slug.</param>
    /// <param name="Person">User name.</param>
    /// <param name="Until">UTC.</param>
    internal sealed record Grant(string Alarm, string Municipality, string Person, DateTime Until);

    /// <summary>Address below the hub's public one by which the person with a mail address acknowledges an alarm; null when it is no operator's.</summary>
    /// <param name="alarm">Identifier of the alarm, or of its thread.</param>
    /// <param name="municipality">Slug of its municipality.</param>
    /// <param name="mailAddress">To whom the mail goes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<string?> ForAsync(string alarm, string municipality, string mailAddress, CancellationToken cancellationToken) =>
        await OperatorAsync(municipality, mailAddress, cancellationToken) is { } person
            ? "/alarms/acknowledge?token=" + Uri.EscapeDataString(protector.Protect(JsonSerializer.Serialize(new Grant(alarm, municipality, person, time.GetUtcNow().UtcDateTime + Life))))
            : null;

    /// <summary>What a token is good for now; null for nothing: it is not ours, its time is over, or the person is no operator any more.</summary>
    internal async ValueTask<Grant?> ReadAsync(string? token, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(token) || token.Length > 4_096)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<Grant>(protector.Unprotect(token)) is { } grant
                && grant.Until > time.GetUtcNow().UtcDateTime
                && await OperatorAsync(grant.Municipality, grant.Person, cancellationToken) is not null
                    ? grant
                    : null;
        }
        catch (Exception exception) when (exception is CryptographicException or JsonException)
        {
            return null;
        }
    }

    private async ValueTask<string?> OperatorAsync(string municipality, string name, CancellationToken cancellationToken)
    {
        var people = roles.LastOrDefault() is { } known ? await known.ListAsync(cancellationToken) : [];
        return people.FirstOrDefault(one => string.Equals(one.UserName, name, StringComparison.OrdinalIgnoreCase)
            && one.Roles.Any(held => held.Role >= Role.Operator && (held.Municipality is null || held.Municipality == municipality))).UserName;
    }
}
