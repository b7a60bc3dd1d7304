using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.InfluxQl;

/// <summary>Who asks: whoever a bearer token, HTTP Basic or the parameters <c>u</c> and <c>p</c> name; nobody, who sees what is public, when none is given.</summary>
/// <remarks>
/// A password check is slow on purpose, and a dashboard asks a hundred times a minute. So a pair that was right is exchanged for a token of the sign-in, kept here for <see cref="InfluxQlOptions.CredentialsKept"/> under a keyed
/// hash of the pair: the key is made at each start and never leaves the process, and the password itself is not kept. With each question the token goes through the same door as anybody's (signature, end, and
/// whether password or roles have changed since), so what ends a session ends this too. Pairs that were wrong are not kept: each goes to the sign-in, which counts them and locks out.
/// </remarks>
internal sealed class Visitors(ISignIn signIn, IOptionsMonitor<BearerTokenOptions> bearer, IOptions<InfluxQlOptions> options, TimeProvider time)
{
    /// <summary>Pairs kept; past it all are forgotten and checked again.</summary>
    private const int KeptMax = 1_000;

    private static readonly ClaimsPrincipal Nobody = new(new ClaimsIdentity());

    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, (string Token, DateTimeOffset Until)> kept = new(StringComparer.Ordinal);

    /// <summary>Who asks; null when what was given is wrong or has ended.</summary>
    /// <param name="context">The request.</param>
    /// <param name="parameter">Reads a parameter of it.</param>
    public async ValueTask<(SignInOutcome Outcome, ClaimsPrincipal? Visitor)> OfAsync(HttpContext context, Func<string, string?> parameter)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (parameter("u") is { Length: > 0 } user && parameter("p") is { Length: > 0 } password)
        {
            return await PairAsync(context, user, password);
        }

        if (header.Length == 0)
        {
            // A browser that is signed in to the hub is whoever that is.
            return (SignInOutcome.Accepted, context.User.Identity?.IsAuthenticated == true ? context.User : Nobody);
        }

        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return context.User.Identity?.IsAuthenticated == true ? (SignInOutcome.Accepted, context.User) : (SignInOutcome.Refused, null);
        }

        return Pair(header) is var (name, secret) ? await PairAsync(context, name, secret) : (SignInOutcome.Refused, null);
    }

    private static (string User, string Password)? Pair(string header)
    {
        string pair;
        if (header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            var bytes = new byte[header.Length];
            if (!Convert.TryFromBase64String(header[6..].Trim(), bytes, out var length))
            {
                return null;
            }

            pair = Encoding.UTF8.GetString(bytes, 0, length);
        }
        else if (header.StartsWith("Token ", StringComparison.OrdinalIgnoreCase))
        {
            // As clients of InfluxDB 2 speak to 1.x.
            pair = header[6..].Trim();
        }
        else
        {
            return null;
        }

        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 ? (pair[..colon], pair[(colon + 1)..]) : null;
    }

    private async ValueTask<(SignInOutcome Outcome, ClaimsPrincipal? Visitor)> PairAsync(HttpContext context, string user, string password)
    {
        var name = Convert.ToHexString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{user}\0{password}")));
        if (kept.TryGetValue(name, out var known))
        {
            if (known.Until > time.GetUtcNow())
            {
                context.Request.Headers.Authorization = $"Bearer {known.Token}";
                if (await context.AuthenticateAsync(MunicipalitiesExtensions.Scheme) is { Succeeded: true } session)
                {
                    return (SignInOutcome.Accepted, session.Principal);
                }
            }

            kept.TryRemove(name, out _);
        }

        var (outcome, token) = await signIn.IssueTokenAsync(user, password, context.RequestAborted);
        if (token is null)
        {
            return (outcome, null);
        }

        if (options.Value.CredentialsKept > TimeSpan.Zero)
        {
            if (kept.Count >= KeptMax)
            {
                kept.Clear();
            }

            kept[name] = (token.AccessToken, time.GetUtcNow() + options.Value.CredentialsKept);
        }

        // Issued this moment: it holds the person's roles as they are.
        var visitor = bearer.Get(IdentityConstants.BearerScheme).BearerTokenProtector.Unprotect(token.AccessToken)?.Principal;
        return visitor is null ? (SignInOutcome.Refused, null) : (SignInOutcome.Accepted, visitor);
    }
}
