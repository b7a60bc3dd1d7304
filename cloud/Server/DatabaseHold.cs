using Hub.Cloud.Database;

namespace Hub.Cloud.Server;

/// <summary>Keeps a second hub off the database while this one serves, and ends this one when another has taken it over after the database was away.</summary>
internal sealed class DatabaseHold(IConfiguration configuration, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<DatabaseHold> log) : BackgroundService
{
    /// <summary>How often is looked whether the database still knows this hub: a second one could start for so long after the database was restarted.</summary>
    internal static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);

    // Whoever asks may go away; what is asked of the database is only given up when the hub ends.
    private readonly CancellationTokenSource _ending = new();
    private OneHub? _held;

    /// <summary>Why this hub had to end; null while it need not. Read once it has ended.</summary>
    public string? Lost { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _held = await OneHub.HoldAsync(configuration, time, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _ending.CancelAsync();
        await base.StopAsync(cancellationToken);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_held is { } held)
            {
                _held = null;
                await held.DisposeAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        _ending.Dispose();
        base.Dispose();
    }

    /// <summary>Whether no other hub can start on the database; taken again where that was lost with a connection. May be called concurrently.</summary>
    public async Task<bool> IsHeldAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return _held is null || await _held.StillAsync(_ending.Token);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            return false;
        }
        catch (InvalidDataException exception)
        {
            // What both would do, deliver the same alarm for one, is worse than one of them being away.
            if (Lost is null)
            {
                Lost = exception.Message;
                log.Lost(exception.Message);
                lifetime.StopApplication();
            }

            return false;
        }
        finally
        {
            _turn.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_held is null)
        {
            return;
        }

        using var timer = new PeriodicTimer(Every, time);
        while (Lost is null && await timer.WaitForNextTickAsync(stoppingToken))
        {
            await IsHeldAsync(stoppingToken);
        }
    }
}
