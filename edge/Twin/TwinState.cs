using System.Security.Cryptography;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Twin;

/// <summary>A desired document as it came.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Digest">SHA-256 of its bytes, hexadecimal.</param>
/// <param name="Utf8">Its bytes.</param>
internal sealed record TwinDocument(long Version, string Digest, byte[] Utf8)
{
    public static TwinDocument Of(long version, ReadOnlySpan<byte> utf8) => new(version, Convert.ToHexStringLower(SHA256.HashData(utf8)), utf8.ToArray());
}

/// <summary>A document in force that has not reached the hub yet.</summary>
/// <param name="Document">The document.</param>
/// <param name="Length">How long the trial lasts.</param>
/// <param name="BootId">The start of the machine that <paramref name="EndsSinceBoot"/> counts from.</param>
/// <param name="EndsSinceBoot">When it ends, time since the machine's start: no clock that steps shortens or lengthens it.</param>
/// <param name="Starts">Times that the agent was started with it, the present one included; 0 where it runs since it was taken.</param>
internal sealed record TwinTrial(TwinDocument Document, TimeSpan Length, string BootId, TimeSpan EndsSinceBoot, int Starts);

/// <summary>A document that cut the station off, or kept it from running.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Digest">Its digest: a hub restored from a backup may give the version to another document.</param>
internal sealed record TwinFailure(long Version, string Digest);

/// <summary>Everything the twin knows; immutable. Kept in one file, so that a cut leaves the one before or this one.</summary>
/// <param name="Acted">Version of the document last acted on.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="At">UTC instant of the outcome.</param>
/// <param name="Problems">Why it was refused or rolled back.</param>
/// <param name="Good">The document that has reached the hub and stays; null for none.</param>
/// <param name="Trial">The document on trial; null for none.</param>
/// <param name="Failures">The last documents that were rolled back, newest last; they are not tried again.</param>
internal sealed record TwinState(
    long Acted, TwinOutcome Outcome, DateTime At, IReadOnlyList<string> Problems, TwinDocument? Good, TwinTrial? Trial, IReadOnlyList<TwinFailure> Failures)
{
    /// <summary>Of a station that the hub has never wanted anything of.</summary>
    public static TwinState Empty { get; } = new(0, TwinOutcome.None, DateTime.UnixEpoch, [], null, null, []);

    /// <summary>The document whose settings hold.</summary>
    public TwinDocument? InForce => Trial?.Document ?? Good;
}

/// <summary>An instant, on the clocks the twin goes by.</summary>
/// <param name="Utc">For people.</param>
/// <param name="BootId">Which start of the machine this is.</param>
/// <param name="SinceBoot">Time since then; never steps.</param>
internal readonly record struct TwinInstant(DateTime Utc, string BootId, TimeSpan SinceBoot);
