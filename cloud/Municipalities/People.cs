using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Municipalities;

/// <summary>People and their roles, on ASP.NET Core Identity.</summary>
internal sealed partial class People(
    IServiceScopeFactory scopes,
    IMunicipalities municipalities,
    SessionGuard sessions,
    TimeProvider time,
    ILogger<People> logger) : IPeople, IRoles
{
    public const string WholeHub = "*";

    public async ValueTask<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return !await Database(scope).Users.AnyAsync(cancellationToken);
    }

    public async ValueTask<string> AddAsync(string userName, string? password, Role role, string? municipality, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userName);
        if (userName.Length is < 1 or > 256)
        {
            throw new ArgumentException("The user name must have 1 to 256 characters.", nameof(userName));
        }

        CheckRole(role, municipality);
        password ??= PasswordMaker.Generate();
        await using var scope = scopes.CreateAsyncScope();
        var database = Database(scope);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var person = new Person { UserName = userName, AddedAt = time.GetUtcNow().UtcDateTime };
        Demand(await Users(scope).CreateAsync(person, password));
        database.Roles.Add(new RoleRow { PersonId = person.Id, Municipality = municipality ?? WholeHub, Role = role });
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogAdded(userName, role, municipality ?? WholeHub);
        return password;
    }

    public async ValueTask<string> ResetPasswordAsync(string userName, string? password, CancellationToken cancellationToken)
    {
        password ??= PasswordMaker.Generate();
        await using var scope = scopes.CreateAsyncScope();
        var users = Users(scope);
        var person = await FindAsync(users, userName);
        foreach (var validator in users.PasswordValidators)
        {
            Demand(await validator.ValidateAsync(users, person, password));
        }

        person.PasswordHash = users.PasswordHasher.HashPassword(person, password);
        person.LockedUntil = null;
        person.AccessFailedCount = 0;

        // The stamp is what sessions are compared with: a new one ends them all. Saves the rest as well.
        Demand(await users.UpdateSecurityStampAsync(person));
        sessions.Forget(person.Id);
        LogPasswordReset(userName);
        return password;
    }

    public async ValueTask<IReadOnlyList<(string UserName, IReadOnlyList<HeldRole> Roles)>> ListAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = Database(scope);
        var people = await database.Users.AsNoTracking().OrderBy(p => p.NormalizedUserName).Select(p => new { p.Id, p.UserName }).ToListAsync(cancellationToken);
        var roles = (await database.Roles.AsNoTracking().ToListAsync(cancellationToken)).ToLookup(r => r.PersonId);
        return people.ConvertAll(p => (
            p.UserName!,
            (IReadOnlyList<HeldRole>)roles[p.Id]
                .OrderBy(r => r.Municipality, StringComparer.Ordinal)
                .Select(r => new HeldRole(r.Role, r.Municipality == WholeHub ? null : r.Municipality))
                .ToArray()));
    }

    public async ValueTask<IReadOnlyList<string>> HoldersAsync(Role role, string municipality, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = Database(scope);
        return await database.Roles.AsNoTracking().Where(held => held.Municipality == municipality && held.Role >= role)
            .Join(database.Users.AsNoTracking(), held => held.PersonId, person => person.Id, (_, person) => person)
            .OrderBy(person => person.NormalizedUserName).Select(person => person.UserName!).ToListAsync(cancellationToken);
    }

    public async ValueTask GrantAsync(string userName, Role role, string? municipality, CancellationToken cancellationToken)
    {
        CheckRole(role, municipality);
        await ChangeRoleAsync(userName, municipality, role, cancellationToken);
        LogGranted(userName, role, municipality ?? WholeHub);
    }

    public async ValueTask RevokeAsync(string userName, string? municipality, CancellationToken cancellationToken)
    {
        await ChangeRoleAsync(userName, municipality, null, cancellationToken);
        LogRevoked(userName, municipality ?? WholeHub);
    }

    public async ValueTask RemoveAsync(string userName, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = Users(scope);
        var person = await FindAsync(users, userName);
        Demand(await users.DeleteAsync(person));
        sessions.Forget(person.Id);
        LogRemoved(userName);
    }

    private static UserManager<Person> Users(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<UserManager<Person>>();

    private static MunicipalitiesDatabase Database(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<MunicipalitiesDatabase>();

    private static async Task<Person> FindAsync(UserManager<Person> users, string userName)
    {
        ArgumentNullException.ThrowIfNull(userName);
        return await users.FindByNameAsync(userName) ?? throw new KeyNotFoundException($"There is nobody with the user name {userName}.");
    }

    private static void Demand(IdentityResult result)
    {
        if (!result.Succeeded)
        {
            throw new ArgumentException(string.Join(' ', result.Errors.Select(e => e.Description)));
        }
    }

    private async Task ChangeRoleAsync(string userName, string? municipality, Role? role, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = Database(scope);
        var users = Users(scope);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var person = await FindAsync(users, userName);
        var place = municipality ?? WholeHub;
        var held = await database.Roles.SingleOrDefaultAsync(r => r.PersonId == person.Id && r.Municipality == place, cancellationToken);
        if (held is not null)
        {
            database.Roles.Remove(held);
            await database.SaveChangesAsync(cancellationToken);
        }

        if (role is { } granted)
        {
            database.Roles.Add(new RoleRow { PersonId = person.Id, Municipality = place, Role = granted });
        }

        Demand(await users.UpdateSecurityStampAsync(person));
        await transaction.CommitAsync(cancellationToken);
        sessions.Forget(person.Id);
    }

    private void CheckRole(Role role, string? municipality)
    {
        if (!Enum.IsDefined(role))
        {
            throw new ArgumentException("The role must be viewer, operator or administrator.", nameof(role));
        }

        if (municipality is not null && !municipalities.TryGet(municipality, out _))
        {
            throw new ArgumentException($"There is no municipality {municipality}.", nameof(municipality));
        }
    }
}
