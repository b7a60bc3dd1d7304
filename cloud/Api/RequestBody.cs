using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hub.Cloud.Api;

/// <summary>Reads the JSON body of a request: bounded, and refused with what was expected and where it is wrong.</summary>
internal static class RequestBody
{
    /// <summary>Nothing is passed over, be it a member that nobody heeds or one that is given twice: it would do something else than what was meant. What a document requires must be there.</summary>
    public static readonly JsonSerializerOptions Strict = new(ApiGate.Json)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true, NumberHandling = JsonNumberHandling.Strict,
        AllowDuplicateProperties = false,
    };

    /// <summary>The same for documents whose members may all be left out.</summary>
    public static readonly JsonSerializerOptions StrictPartial = new(Strict) { RespectRequiredConstructorParameters = false };

    /// <summary>Reads it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="options">How exactly it is taken.</param>
    /// <param name="bytesMax">Longest body.</param>
    /// <param name="expected">A sentence that says what should be there.</param>
    /// <exception cref="ProblemException">It is longer, no JSON, null, or another document.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonSerializerOptions options, int bytesMax, string expected)
        where T : class
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = bytesMax;
        }

        try
        {
            return await JsonSerializer.DeserializeAsync<T>(context.Request.Body, options, context.RequestAborted) ?? throw new ProblemException(Problems.BadBody, expected);
        }
        catch (Exception e) when (e is JsonException or BadHttpRequestException)
        {
            var place = (e as JsonException)?.Path is { Length: > 2 } path ? $" Wrong at {path[2..]}." : "";
            throw new ProblemException(Problems.BadBody, expected + place);
        }
    }
}
