using Hub.Edge.Contract.Claims;

namespace Hub.Edge.Claiming;

/// <summary>Makes a new machine the station an operator meant: asks the hub with a one-time code and writes the station file, the secret and the authority.</summary>
public interface IClaiming
{
    /// <summary>
    /// Claims. One caller at a time on one folder. A kill or power cut at any instant leaves a folder on which the same call can be made again: the secret is on disk before the hub hears of it,
    /// and the hub takes the same claim twice.
    /// </summary>
    /// <param name="order">What to do.</param>
    /// <param name="progress">Lines for the installer; written by this call only.</param>
    /// <param name="cancellationToken">Gives up; what was begun can be gone on with.</param>
    /// <exception cref="ClaimRefusedException">The order is wrong, or the hub said no for good.</exception>
    /// <exception cref="ClaimUnansweredException">The hub could not be reached, or could not answer, within <see cref="ClaimingOptions.Patience"/>.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    Task<ClaimReply> ClaimAsync(ClaimingOptions order, TextWriter progress, CancellationToken cancellationToken);
}

/// <summary>The claim will not succeed as it is; the message says why and what to do.</summary>
public sealed class ClaimRefusedException(string message) : Exception(message);

/// <summary>The hub could not be asked; trying again later may help. The message says why.</summary>
public sealed class ClaimUnansweredException(string message, Exception? inner = null) : Exception(message, inner);
