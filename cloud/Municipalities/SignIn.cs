using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities;

/// <summary>Checks passwords, counts wrong ones, issues cookies and tokens.</summary>
internal sealed partial class SignIn(
    IServiceScopeFactory scopes,
    IPasswordHasher<Person> hasher,
    IOptions<MunicipalitiesOptions> options,
    IOptionsMonitor<BearerTokenOptions> bearer,
    TimeProvider time,
    MunicipalitiesInstruments instruments,
    ILogger<SignIn> logger) : ISignIn, IDisposable
{
    /// <summary>Passwords checked at once: one check keeps a processor busy for tens of milliseconds, and readings must get in meanwhile.</summary>
    private const int ChecksMax = 2;

    /// <summary>Attempts that may wait for their turn; past it they are told to come back.</summary>
    private const int WaitingMax = 32;

    /// <summary>Longer ones are refused unread.</summary>
    private const int PasswordMax = 1_024;

    private static readonly Person Nobody = new();

    private readonly SemaphoreSlim turn = new(ChecksMax, ChecksMax);
    private readonly string decoyHash = hasher.HashPassword(Nobody, PasswordMaker.Generate());
    private int present;

    public async ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, bool remember)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (outcome, principal) = await CheckAsync(userName, password, context.RequestAborted);
        if (principal is not null)
        {
            await context.SignInAsync(IdentityConstants.ApplicationScheme, principal, new AuthenticationProperties { IsPersistent = remember });
        }

        return outcome;
    }

    public async ValueTask SignOutAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await context.SignOutAsync(IdentityConstants.ApplicationScheme);
    }

    public async ValueTask<(SignInOutcome Outcome, BearerToken? Token)> IssueTokenAsync(string userName, string password, CancellationToken cancellationToken)
    {
        var (outcome, principal) = await CheckAsync(userName, password, cancellationToken);
        if (principal is null)
        {
            return (outcome, null);
        }

        // What the bearer handler itself would write, without its refresh token: a new sign-in is the only way to a new token.
        var expires = time.GetUtcNow() + options.Value.TokenLife;
        var ticket = new AuthenticationTicket(principal, new AuthenticationProperties { ExpiresUtc = expires }, $"{IdentityConstants.BearerScheme}:AccessToken");
        return (outcome, new BearerToken(bearer.Get(IdentityConstants.BearerScheme).BearerTokenProtector.Protect(ticket), expires.UtcDateTime));
    }

    public void Dispose() => turn.Dispose();

    private async ValueTask<(SignInOutcome Outcome, ClaimsPrincipal? Principal)> CheckAsync(string userName, string password, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(password);
        if (userName.Length > 256 || password.Length > PasswordMax)
        {
            instruments.SignInRefused();
            return (SignInOutcome.Refused, null);
        }

        if (Interlocked.Increment(ref present) > WaitingMax + ChecksMax)
        {
            Interlocked.Decrement(ref present);
            instruments.SignInBusy();
            return (SignInOutcome.Busy, null);
        }

        try
        {
            await turn.WaitAsync(cancellationToken);
            try
            {
                var principal = await VerifyAsync(userName, password, cancellationToken);
                if (principal is null)
                {
                    instruments.SignInRefused();
                    return (SignInOutcome.Refused, null);
                }

                instruments.SignInAccepted();
                return (SignInOutcome.Accepted, principal);
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref present);
        }
    }

    private async Task<ClaimsPrincipal?> VerifyAsync(string userName, string password, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<MunicipalitiesDatabase>();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Person>>();
        var normalized = users.NormalizeName(userName);
        var id = await database.Users.AsNoTracking().Where(p => p.NormalizedUserName == normalized).Select(p => (int?)p.Id).SingleOrDefaultAsync(cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        var failuresMax = options.Value.FailuresMax;

        // An attempt counts as failed before it is looked at, in one statement: attempts made at the same time cannot slip past the limit.
        var counted = id is null ? 0 : await database.Users
            .Where(p => p.Id == id && (p.LockedUntil == null || p.LockedUntil <= now) && p.AccessFailedCount < failuresMax)
            .ExecuteUpdateAsync(set => set.SetProperty(p => p.AccessFailedCount, p => p.AccessFailedCount + 1), cancellationToken);
        if (counted == 0)
        {
            // Nobody, or locked out: as slow as a wrong password.
            hasher.VerifyHashedPassword(Nobody, decoyHash, password);
            return null;
        }

        var person = await database.Users.SingleAsync(p => p.Id == id, cancellationToken);
        if (person.PasswordHash is { } hash && hasher.VerifyHashedPassword(person, hash, password) != PasswordVerificationResult.Failed)
        {
            await database.Users.Where(p => p.Id == id).ExecuteUpdateAsync(
                set => set.SetProperty(p => p.AccessFailedCount, 0).SetProperty(p => p.LockedUntil, (DateTime?)null), cancellationToken);
            return await scope.ServiceProvider.GetRequiredService<IUserClaimsPrincipalFactory<Person>>().CreateAsync(person);
        }

        if (person.AccessFailedCount >= failuresMax)
        {
            var until = now + options.Value.LockOut;
            await database.Users.Where(p => p.Id == id).ExecuteUpdateAsync(
                set => set.SetProperty(p => p.AccessFailedCount, 0).SetProperty(p => p.LockedUntil, (DateTime?)until), CancellationToken.None);
            instruments.LockedOut();
            LogLockedOut(person.UserName!, failuresMax, until);
        }

        return null;
    }
}
