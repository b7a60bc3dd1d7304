using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Api;

/// <summary>What requests about one municipality have in common: who may ask, in whose name it is done, and how a refusal of the stage behind is told.</summary>
internal static class MunicipalityRequest
{
    /// <summary>Lets the request through, or says why not.</summary>
    /// <param name="context">The request.</param>
    /// <param name="municipality">The municipality named in its address.</param>
    /// <param name="municipalities">Those there are.</param>
    /// <param name="role">What the person must be there.</param>
    /// <param name="whose">Whom strangers are told it is for, e.g. "Retention is for administrators".</param>
    /// <param name="refusal">What a person without the role is told.</param>
    /// <exception cref="ProblemException">Nobody is signed in, there is no such municipality, or the person may not.</exception>
    public static void Allow(HttpContext context, string municipality, IMunicipalities municipalities, Role role, string whose, string refusal)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, $"{whose}: sign in first.");
        }

        if (!municipalities.TryGet(municipality, out _))
        {
            throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Query.Short(municipality)}\".", "municipality");
        }

        if (!context.User.Holds(role, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, refusal);
        }
    }

    /// <summary>Who asks, for the record.</summary>
    public static string Person(HttpContext context) => context.User.Identity?.Name ?? "an administrator";

    /// <summary>What the stage refuses is wrong in the body.</summary>
    /// <exception cref="ProblemException">The stage has refused it, with its reason.</exception>
    public static async Task<T> CheckedAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (ArgumentException e)
        {
            throw new ProblemException(Problems.BadBody, e.Message.Split(" (Parameter ")[0]);
        }
    }
}
