using Hub.Cloud.Database;

namespace Hub.Cloud.Server;

/// <summary>Keeps a second hub off the database while this one serves.</summary>
internal sealed class DatabaseHold(IConfiguration configuration, TimeProvider time) : IHostedService
{
    private IAsyncDisposable? _held;

    public async Task StartAsync(CancellationToken cancellationToken) => _held ??= await OneHub.HoldAsync(configuration, time, cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_held is { } held)
        {
            _held = null;
            await held.DisposeAsync();
        }
    }
}
