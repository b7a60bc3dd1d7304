using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Municipalities;

/// <summary>What became of an attempt to sign in.</summary>
public enum SignInOutcome
{
    /// <summary>Signed in.</summary>
    Accepted = 1,

    /// <summary>
    /// Wrong user name or password, or locked out after too many wrong ones. Which of the three is not said, because it would tell a stranger who has an account.
    /// </summary>
    Refused = 2,

    /// <summary>Too many attempts are being checked at this moment; try again in a few seconds.</summary>
    Busy = 3,
}

/// <summary>A bearer token for the API.</summary>
/// <param name="AccessToken">Opaque text for <c>Authorization: Bearer</c>; keep it secret.</param>
/// <param name="ExpiresAt">UTC instant after which it is refused.</param>
public sealed record BearerToken(string AccessToken, DateTime ExpiresAt);

/// <summary>A role somebody holds.</summary>
/// <param name="Role">What it allows.</param>
/// <param name="Municipality">Slug of the municipality, or null for the whole hub.</param>
public sealed record HeldRole(Role Role, string? Municipality);

/// <summary>
/// The way in for people: the Portal's login page and the API's sessions. User name and password are checked, wrong ones counted, and after
/// <see cref="MunicipalitiesOptions.FailuresMax"/> in a row the person is locked out for <see cref="MunicipalitiesOptions.LockOut"/>. An unknown user name takes
/// as long as a wrong password. Safe for concurrent callers.
/// </summary>
public interface ISignIn
{
    /// <summary>Checks a user name and password and, if they are right, gives the browser its cookie on the response of <paramref name="context"/>.</summary>
    /// <param name="context">The request being answered; nothing of the response may have been sent.</param>
    /// <param name="userName">As typed; letter case does not matter.</param>
    /// <param name="password">As typed.</param>
    /// <param name="remember">True keeps the cookie when the browser closes.</param>
    ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, bool remember);

    /// <summary>Takes the cookie back from the browser.</summary>
    ValueTask SignOutAsync(HttpContext context);

    /// <summary>Checks a user name and password and, if they are right, issues a bearer token.</summary>
    /// <param name="userName">As typed; letter case does not matter.</param>
    /// <param name="password">As typed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The outcome, and the token exactly when it is <see cref="SignInOutcome.Accepted"/>.</returns>
    ValueTask<(SignInOutcome Outcome, BearerToken? Token)> IssueTokenAsync(string userName, string password, CancellationToken cancellationToken);
}

/// <summary>Changes to the roles people hold, and their removal. Every change ends the sessions of the person. Safe for concurrent callers.</summary>
public interface IRoles
{
    /// <summary>All user names with their roles, by user name.</summary>
    ValueTask<IReadOnlyList<(string UserName, IReadOnlyList<HeldRole> Roles)>> ListAsync(CancellationToken cancellationToken);

    /// <summary>User names of those who hold a role, or one with more rights, in a municipality itself, by user name. Who holds it for the whole hub is not among them.</summary>
    /// <param name="role">Least role.</param>
    /// <param name="municipality">Slug.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<string>> HoldersAsync(Role role, string municipality, CancellationToken cancellationToken);

    /// <summary>Gives a role, in place of the one held in that municipality (or, for null, in the whole hub).</summary>
    /// <exception cref="KeyNotFoundException">There is no such person.</exception>
    ValueTask GrantAsync(string userName, Role role, string? municipality, CancellationToken cancellationToken);

    /// <summary>Takes the role in a municipality (or, for null, in the whole hub) away; nothing happens when none is held.</summary>
    /// <exception cref="KeyNotFoundException">There is no such person.</exception>
    ValueTask RevokeAsync(string userName, string? municipality, CancellationToken cancellationToken);

    /// <summary>Removes a person for good.</summary>
    /// <exception cref="KeyNotFoundException">There is no such person.</exception>
    ValueTask RemoveAsync(string userName, CancellationToken cancellationToken);
}
