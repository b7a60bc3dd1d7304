using System.Security.Cryptography;
using System.Text;

namespace Hub.Cloud.Series;

/// <summary>One hub to a database: the lease is taken before anything is read, renewed while the store is open, and looked at before each write.</summary>
internal sealed partial class InfluxSeries
{
    private bool _compare;

    /// <summary>Another hub holds the database; null when none does, as far as is known.</summary>
    private InfluxInUseException? InUse => Volatile.Read(ref _away)?.Reason as InfluxInUseException;

    /// <summary>
    /// A name for this hub that stays the same after a restart, so that it need not wait for its own lease, and differs when the folder was copied: to another machine, or to another place of this one.
    /// </summary>
    private InfluxLease MakeLease()
    {
        var file = Path.Combine(_folder, "owner");
        if (!File.Exists(file))
        {
            File.WriteAllText(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        }

        var place = $"{Environment.MachineName}:{Path.GetFullPath(_folder)}";
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{File.ReadAllText(file)}\n{place}")))[..16];
        return new InfluxLease(_client, _influx, name, place, _time);
    }

    private async Task RenewLeaseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_lease!.RenewEvery, _time, _stop.Token).ConfigureAwait(false);
                await _lease.RenewAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // Whatever went wrong, it is renewed again while there is time; the keeper looks after the server meanwhile.
            catch (Exception e)
#pragma warning restore CA1031
            {
                SetAway(e);
            }
        }
    }

    /// <summary>Takes the lease where it is not held. When another hub has it, or had it meanwhile, memory is not believed any more.</summary>
    private async Task TakeLeaseAsync()
    {
        bool othersWrote;
        try
        {
            othersWrote = await _lease!.TakeAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (InfluxInUseException e)
        {
            if (_loaded)
            {
                LogInUse(_client.Address, e.Message);
                await ForgetAllAsync().ConfigureAwait(false);
            }

            throw;
        }

        if (othersWrote)
        {
            // What waits here is compared, row by row, with what the other hub may have written.
            _compare = !_spill!.IsEmpty;
            await ForgetAllAsync().ConfigureAwait(false);
        }
    }

    /// <summary>From here on nothing is acknowledged until all has been read again.</summary>
    private Task<bool> ForgetAllAsync() => _jobs.RunAsync(() =>
    {
        _loaded = false;
        _keys.Clear();
        foreach (var state in _streams.Values)
        {
            state.Reset();
        }

        return true;
    });

    /// <summary>At the end, so that the next hub need not wait. A server that is away is not waited for.</summary>
    private async Task LetGoAsync()
    {
        if (Volatile.Read(ref _away) is { Reason: not InfluxInUseException })
        {
            return;
        }

        using var limit = new CancellationTokenSource(_influx.RequestTimeout, _time);
        try
        {
            await _lease!.LetGoAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InfluxAwayException or InfluxQueryException or OperationCanceledException)
        {
            LogNotLetGo(e, _client.Address, _lease!.Lasts);
        }
    }

    /// <summary>Before a write: it may be under way for as long as the server may take.</summary>
    /// <exception cref="InfluxAwayException">The lease could not be renewed in time.</exception>
    private void ThrowIfNotOurs()
    {
        if (!_lease!.IsHeldFor(_influx.RequestTimeout))
        {
            throw InUse ?? new InfluxAwayException("could not be told in time that this hub goes on using it; another hub may have taken over.");
        }
    }
}
