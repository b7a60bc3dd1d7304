using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Uplink;

/// <summary>How the line to the hub stands now.</summary>
/// <param name="Connected">True from the hub's acceptance of the connection to its end.</param>
/// <param name="Since">UTC instant of the last change of <paramref name="Connected"/>.</param>
/// <param name="Problem">What went wrong last, in English, for the installer; null when nothing did since the last acknowledgement.</param>
/// <param name="Connections">Connections accepted since start.</param>
/// <param name="ReadingsSent">Readings sent since start, repeats included.</param>
/// <param name="ReadingsAcknowledged">Readings the hub took since start.</param>
/// <param name="ReadingsRefused">Readings the hub refused for good since start, and readings that cannot be encoded.</param>
public sealed record UplinkState(
    bool Connected, DateTimeOffset Since, string? Problem, long Connections, long ReadingsSent, long ReadingsAcknowledged, long ReadingsRefused);

/// <summary>
/// Sends what the outbox holds to the hub, for ever, and releases it there only after the hub's acknowledgement; what is taken now goes first, what has waited follows. Runs as a hosted service.
/// </summary>
public interface IUplink
{
    /// <summary>The state now; from any thread.</summary>
    UplinkState State { get; }

    /// <summary>
    /// Puts other settings in force: the connection is ended in good order and made again with them; readings wait in the outbox meanwhile. Where nothing of it has changed, nothing
    /// happens. One call at a time.
    /// </summary>
    /// <param name="configuration">The settings, checked before: sections <c>Agent:Hub</c> and <c>Agent:Uplink</c>.</param>
    /// <param name="cancellationToken">Ends the wait for the end of the old connection.</param>
    /// <returns>Completes when no message goes out under the old settings any more.</returns>
    Task ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a new secret: it is put beside the old one, shown to the hub with a new connection at once, kept when it is accepted, and forgotten when it is not. One call at a time.
    /// </summary>
    /// <param name="secret">The secret, one line.</param>
    /// <param name="patience">How long the hub may take to accept or refuse it.</param>
    /// <param name="cancellationToken">Ends the wait; the new secret stays beside the old one and is tried.</param>
    /// <exception cref="IOException">The secret could not be kept; nothing has changed.</exception>
    Task<RotationOutcome> RotateAsync(string secret, TimeSpan patience, CancellationToken cancellationToken);
}

/// <summary>What the station says of itself in its retained birth. The agent registers one; without it only the version of the uplink is said.</summary>
/// <param name="Agent">Name and version of the program.</param>
/// <param name="Started">UTC instant of its start.</param>
/// <param name="Name">Name of the place, for people; null when not given.</param>
/// <param name="Latitude">WGS 84 degrees, -90 to 90; null when not given.</param>
/// <param name="Longitude">WGS 84 degrees, -180 to 180; null when not given.</param>
/// <param name="Attribution">Whose data it is; null when not given.</param>
/// <param name="Sensors">The sensors fitted.</param>
public sealed record StationBirth(
    string Agent, DateTimeOffset Started, string? Name, double? Latitude, double? Longitude, string? Attribution, IReadOnlyList<StationBirthSensor> Sensors);

/// <summary>One sensor in the birth.</summary>
/// <param name="Name">Its name at the station.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Quantities">Quantity ids it is set to give; empty when it decides itself.</param>
/// <param name="Condition"><c>starting</c>, <c>running</c>, <c>failing</c> or <c>dead</c>; null when not known.</param>
public sealed record StationBirthSensor(string Name, string Kind, IReadOnlyList<string> Quantities, string? Condition = null);
