using System.Diagnostics.CodeAnalysis;

namespace Hub.Cloud.Municipalities;

/// <summary>A tenant: owns stations, people, rules, packs.</summary>
/// <param name="Slug">Identifier in topics and addresses: 1 to 64 of <c>a-z 0-9 -</c>.</param>
/// <param name="Name">Name shown to people.</param>
/// <param name="Region">Convergence region (NUTS 2), e.g. <c>Norte</c>.</param>
/// <param name="Code">INE code (DICO, four digits), empty when not Portuguese.</param>
/// <param name="Latitude">Centre of its map, WGS 84.</param>
/// <param name="Longitude">Centre of its map, WGS 84.</param>
/// <param name="Zone">Time zone of its legal day, IANA name, e.g. <c>Europe/Lisbon</c>.</param>
public sealed record Municipality(string Slug, string Name, string Region, string Code, double Latitude, double Longitude, string Zone);

/// <summary>What a person may do. Roles are held per municipality, or for the whole hub (municipality null).</summary>
public enum Role
{
    /// <summary>Sees what is not public.</summary>
    Viewer = 1,

    /// <summary>Also works with alarms, quarantine and stations.</summary>
    Operator = 2,

    /// <summary>Also manages people, rules and settings.</summary>
    Administrator = 3,
}

/// <summary>Tenants. Reads come from memory; changes are durable when the task completes. Safe for concurrent callers.</summary>
public interface IMunicipalities
{
    /// <summary>All municipalities, by name.</summary>
    IReadOnlyList<Municipality> All { get; }

    /// <summary>Finds a municipality by slug.</summary>
    bool TryGet(string slug, [NotNullWhen(true)] out Municipality? found);

    /// <summary>Adds or changes a municipality.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<Municipality> SaveAsync(Municipality municipality, CancellationToken cancellationToken);
}

/// <summary>People and their roles, on ASP.NET Core Identity.</summary>
public interface IPeople
{
    /// <summary>True when there is nobody yet: a fresh hub.</summary>
    ValueTask<bool> IsEmptyAsync(CancellationToken cancellationToken);

    /// <summary>Adds a person. A null password generates one of 20 characters; it is returned once and stored only as a hash.</summary>
    /// <param name="userName">E-mail address, or a short name such as <c>admin</c>.</param>
    /// <param name="password">Password, or null to generate one.</param>
    /// <param name="role">Role held.</param>
    /// <param name="municipality">Slug of the municipality the role is for; null for the whole hub.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The name is taken, or the password too weak; the message says which rule.</exception>
    ValueTask<string> AddAsync(string userName, string? password, Role role, string? municipality, CancellationToken cancellationToken);

    /// <summary>Sets a new password (generated when null), ends all sessions of the person, and returns it.</summary>
    ValueTask<string> ResetPasswordAsync(string userName, string? password, CancellationToken cancellationToken);
}

/// <summary>Reads a signed-in person's rights from the claims that login put there.</summary>
public static class Rights
{
    /// <summary>Claim type of a role: value <c>{role}@{municipality}</c>, or <c>{role}@*</c> for the whole hub.</summary>
    public const string ClaimType = "hub-role";

    /// <summary>Whether the person holds at least a role in a municipality (or in the whole hub).</summary>
    /// <param name="person">Principal; an anonymous one holds nothing.</param>
    /// <param name="role">Least role needed.</param>
    /// <param name="municipality">Slug; null asks for the whole hub.</param>
    public static bool Holds(this System.Security.Claims.ClaimsPrincipal person, Role role, string? municipality)
    {
        ArgumentNullException.ThrowIfNull(person);
        foreach (var claim in person.FindAll(ClaimType))
        {
            var at = claim.Value.IndexOf('@', StringComparison.Ordinal);
            if (at <= 0 || !Enum.TryParse<Role>(claim.Value.AsSpan(0, at), out var held) || held < role)
            {
                continue;
            }

            var scope = claim.Value.AsSpan(at + 1);
            if (scope is "*" || (municipality is not null && scope.SequenceEqual(municipality)))
            {
                return true;
            }
        }

        return false;
    }
}
