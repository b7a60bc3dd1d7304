using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Portal;

/// <summary>What became of an attempt to sign in.</summary>
public enum SignInOutcome
{
    /// <summary>The person is signed in; the answer carries the cookie.</summary>
    Done = 1,

    /// <summary>Name or password is wrong; which of the two is not told.</summary>
    Refused = 2,

    /// <summary>Too many attempts: refused for a while whatever the password.</summary>
    LockedOut = 3,

    /// <summary>This hub has no people: signing in is not offered.</summary>
    Unavailable = 4,
}

/// <summary>
/// Signs people in and out. The pages need no more of identity than this; the server composes it from the stage that knows people. Safe for concurrent callers.
/// </summary>
public interface ISignIn
{
    /// <summary>Whether pages offer to sign in.</summary>
    bool Offered { get; }

    /// <summary>Checks name and password and, when they are right, writes the session cookie to the answer.</summary>
    /// <param name="context">The request being answered.</param>
    /// <param name="userName">Name as typed, at most 256 characters.</param>
    /// <param name="password">Password as typed, at most 256 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, CancellationToken cancellationToken);

    /// <summary>Ends the session of this browser.</summary>
    ValueTask SignOutAsync(HttpContext context, CancellationToken cancellationToken);
}

/// <summary>A hub without people: nobody can sign in.</summary>
internal sealed class SignInOff : ISignIn
{
    public bool Offered => false;

    public ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, CancellationToken cancellationToken) =>
        ValueTask.FromResult(SignInOutcome.Unavailable);

    public ValueTask SignOutAsync(HttpContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
