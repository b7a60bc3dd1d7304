using Hub.Edge.Files;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink;

/// <summary>Where the uplink keeps a secret that the hub has given. The agent registers one; without it no secret can be changed from the hub.</summary>
/// <param name="Path">The folder; made when first needed, for the owner alone.</param>
public sealed record CredentialsFolder(string Path);

/// <summary>
/// Which secret is shown to the hub. A new one (<c>secret.trial</c>) is tried first; accepted, it takes the place of <c>secret</c>, which goes before that of the station file;
/// refused, it is forgotten. Where the hub refuses what it accepted before, as after its own restoring from a backup, the other one is tried in turn. A cut between any two
/// steps leaves a new one that is tried, or the old one. The hub must go on accepting the old one until it has seen the new. Safe for concurrent callers.
/// </summary>
internal sealed class Credentials(CredentialsFolder? folder, ILogger logger)
{
    private const UnixFileMode OwnerFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Lock _gate = new();
    private readonly HashSet<SecretSource> _refused = [];
    private SecretSource _preferred = SecretSource.Kept;
    private SecretSource _tried;
    private string _triedSecret = "";
    private TaskCompletionSource<RotationOutcome>? _rotation;

    // A disk that does not let go of a refused secret must not have it shown for ever.
    private bool _newIsSpent;

    /// <summary>Where the secret comes from.</summary>
    internal enum SecretSource
    {
        /// <summary>Given by the hub, not accepted yet.</summary>
        New,

        /// <summary>Given by the hub, accepted before.</summary>
        Kept,

        /// <summary>The station file, environment or command line.</summary>
        Given,
    }

    private string NewPath => Path.Combine(folder!.Path, "secret.trial");

    private string KeptPath => Path.Combine(folder!.Path, "secret");

    /// <summary>True when there is a folder to keep a secret in.</summary>
    public bool CanRotate => folder is not null;

    /// <summary>Puts a new secret beside the old one; the next connection tries it.</summary>
    /// <returns>Completes with what the hub made of it.</returns>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    public Task<RotationOutcome> Stage(string secret)
    {
        lock (_gate)
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder!.Path);
            }
            else
            {
                Directory.CreateDirectory(folder!.Path, OwnerFolder);
            }

            DurableFile.Replace(NewPath, System.Text.Encoding.UTF8.GetBytes(secret + "\n"), DurableFile.Private);
            _newIsSpent = false;
            _rotation = new TaskCompletionSource<RotationOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _rotation.Task;
        }
    }

    /// <summary>Forgets a new secret that the hub has neither accepted nor refused.</summary>
    public void Withdraw()
    {
        lock (_gate)
        {
            Forget();
            _rotation = null;
        }
    }

    /// <summary>The secret to show at the next connection.</summary>
    /// <param name="given">Reads that of the station file.</param>
    public string Choose(Func<string> given)
    {
        lock (_gate)
        {
            var sources = Sources();
            _tried = sources.Contains(SecretSource.New) ? SecretSource.New
                : sources.Where(source => !_refused.Contains(source)).OrderBy(source => source != _preferred).FirstOrDefault(SecretSource.Given);
            return _triedSecret = _tried switch { SecretSource.New => Read(NewPath), SecretSource.Kept => Read(KeptPath), _ => given() };
        }
    }

    /// <summary>The hub accepted the secret last chosen.</summary>
    public void Accepted()
    {
        lock (_gate)
        {
            _refused.Clear();
            _preferred = _tried;
            if (_tried != SecretSource.New)
            {
                return;
            }

            _preferred = SecretSource.Kept;
            try
            {
                // Also one withdrawn while it was on its way: the hub knows it all the same.
                DurableFile.Replace(KeptPath, System.Text.Encoding.UTF8.GetBytes(_triedSecret + "\n"), DurableFile.Private);
                DurableFile.Remove(NewPath);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It stays beside the old one and is tried first at the next connection.
                logger.SecretNotKept(e);
            }

            Settle(RotationOutcome.Accepted);
        }
    }

    /// <summary>The hub refused the secret last chosen; true when there is another one to try at once.</summary>
    public bool Refused()
    {
        lock (_gate)
        {
            if (_tried == SecretSource.New)
            {
                Forget();
                Settle(RotationOutcome.Refused);
                return true;
            }

            _refused.Add(_tried);
            if (Sources().Any(source => !_refused.Contains(source)))
            {
                return true;
            }

            _refused.Clear();
            return false;
        }
    }

    private void Forget()
    {
        _newIsSpent = true;
        try
        {
            DurableFile.Remove(NewPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.SecretNotKept(e);
        }
    }

    private void Settle(RotationOutcome outcome)
    {
        _rotation?.TrySetResult(outcome);
        _rotation = null;
    }

    private List<SecretSource> Sources()
    {
        var sources = new List<SecretSource> { SecretSource.Given };
        if (folder is not null && File.Exists(KeptPath))
        {
            sources.Add(SecretSource.Kept);
        }

        if (folder is not null && !_newIsSpent && File.Exists(NewPath))
        {
            sources.Add(SecretSource.New);
        }

        return sources;
    }

    private string Read(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            return reader.ReadLine()?.Trim() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The hub refuses an empty one, and the next source is tried.
            logger.SecretNotKept(e);
            return "";
        }
    }
}
