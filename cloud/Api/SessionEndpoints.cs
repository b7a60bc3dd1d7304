using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>Bearer tokens for programs.</summary>
internal static class SessionEndpoints
{
    private const int BodyBytesMax = 16 * 1024;

    private const string Expected = "Expected is a JSON object with the texts userName and password, at most 16 KiB.";

    public static void Map(RouteGroupBuilder api) =>
        api.MapPost("/sessions", SignInAsync)
            .Describe("CreateSession", "Sessions", "Sign in", "Gives a bearer token for the header `Authorization: Bearer`. It ends by itself, and with any change of the person's password or roles.")
            .Accepts<SessionRequest>("application/json")
            .Produces<SessionDocument>()
            .Problem(400).Problem(401).Problem(429);

    private static async Task<IResult> SignInAsync(HttpContext context, ISignIn signIn)
    {
        context.Response.Headers.CacheControl = "no-store";
        var request = await RequestBody.ReadAsync<SessionRequest>(context, ApiGate.Json, BodyBytesMax, Expected);
        if (request is not { UserName: not null, Password: not null })
        {
            throw new ProblemException(Problems.BadBody, Expected);
        }

        var (outcome, token) = await signIn.IssueTokenAsync(request.UserName, request.Password, context.RequestAborted);
        return outcome switch
        {
            SignInOutcome.Accepted => Results.Json(new SessionDocument("Bearer", token!.AccessToken, token.ExpiresAt), ApiGate.Json),
            SignInOutcome.Busy => throw new ProblemException(Problems.Busy, "Too many passwords are being checked at this moment."),
            _ => throw new ProblemException(Problems.WrongCredentials, "User name or password is wrong, or there were too many wrong ones in a row: then wait some minutes."),
        };
    }
}
