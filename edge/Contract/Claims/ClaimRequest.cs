using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Contract.Claims;

/// <summary>
/// How a new station says whose it is: JSON posted to <c>/claim/v1</c>. The secret is the station's own making, so that a claim whose answer got lost can be sent again: the same
/// code with the same secret is taken a second time, with another one it is not.
/// </summary>
/// <param name="Code">The one-time code of an operator, <see cref="ClaimCode"/>.</param>
/// <param name="Secret">The station's new secret: 32 to 256 printable ASCII characters, made of at least 256 random bits.</param>
/// <param name="Agent">Name and version of the agent.</param>
/// <param name="Machine">What the machine calls itself (model, serial number), for the operator to recognise it; null when unknown.</param>
public sealed record ClaimRequest(string Code, string Secret, string Agent, string? Machine = null)
{
    /// <summary>Largest request and answer, bytes.</summary>
    public const int BytesMax = 16 * 1024;

    /// <summary>Reads a request; unknown members are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ClaimRequest? request, [NotNullWhen(false)] out string? problem)
    {
        if (!TwinJson.TryRead(utf8, TwinJson.Default.ClaimRequest, out request, out problem))
        {
            return false;
        }

        problem = request switch
        {
            { Secret.Length: < 32 or > 256 } => "secret: give 32 to 256 characters.",
            _ when request.Secret.Any(c => c is < '!' or > '~') => "secret: give printable ASCII characters without spaces.",
            { Agent.Length: > 200 } => "agent: at most 200 characters.",
            { Machine.Length: > 200 } => "machine: at most 200 characters.",
            _ => null,
        };
        request = problem is null ? request : null;
        return problem is null;
    }

    /// <summary>The request as it is posted.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.ClaimRequest);
}

/// <summary>The hub's answer to a claim: who the station is and where it speaks.</summary>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Name">Name shown to people.</param>
/// <param name="Latitude">WGS 84, degrees.</param>
/// <param name="Longitude">WGS 84, degrees.</param>
/// <param name="Address">Host of the MQTT broker.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">Whether it is spoken to with TLS.</param>
/// <param name="Authority">PEM certificates of the broker's authority, to be pinned; null when a public one is to be believed.</param>
/// <param name="Profile">Name of the station profile the operator chose, e.g. <c>air-basic</c>; null for none.</param>
public sealed record ClaimReply(
    string Municipality, string Station, string Name, double Latitude, double Longitude, string Address, int Port, bool Tls, string? Authority = null, string? Profile = null)
{
    /// <summary>Reads an answer; unknown members are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ClaimReply? reply, [NotNullWhen(false)] out string? problem) =>
        TwinJson.TryRead(utf8, TwinJson.Default.ClaimReply, out reply, out problem);

    /// <summary>The answer as it is sent.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.ClaimReply);
}
