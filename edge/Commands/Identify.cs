using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Commands;

/// <summary>Blinks: on and off, twice a second, until the time last asked for is over. One light, one blinking at a time.</summary>
internal sealed class Identify(Lights lights, TimeProvider time, ILogger<Identify> logger) : IHostedService, IDisposable
{
    /// <summary>How long it is on, and how long off.</summary>
    public static readonly TimeSpan Half = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _blinking = Task.CompletedTask;
    private bool _isBlinking;
    private long _began;
    private TimeSpan _length;

    /// <summary>True while it blinks.</summary>
    public bool IsBlinking
    {
        get
        {
            lock (_gate)
            {
                return _isBlinking;
            }
        }
    }

    /// <summary>Begins to blink, or goes on for as long as is asked for now.</summary>
    /// <exception cref="NoLightException">There is no light.</exception>
    public void Blink(TimeSpan length)
    {
        lock (_gate)
        {
            (_began, _length) = (time.GetTimestamp(), length);
            if (!_isBlinking)
            {
                var light = lights.Open();
                _isBlinking = true;
                _blinking = Task.Run(() => BlinkAsync(light));
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _blinking.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task BlinkAsync(ILight light)
    {
        var ends = false;
        try
        {
            while (!ends)
            {
                using (light)
                {
                    for (var on = true; !IsOver(); on = !on)
                    {
                        light.Set(on);
                        await Task.Delay(Half, time, _stopping.Token).ConfigureAwait(false);
                    }
                }

                // Whoever asked while the light was being let go was told that it blinks.
                ends = EndsNow();
                light = ends ? light : lights.Open();
            }
        }
        catch (OperationCanceledException)
        {
        }
#pragma warning disable CA1031 // A light that fails is no reason for anything else.
        catch (Exception e)
        {
            logger.LightFailed(e);
        }
#pragma warning restore CA1031
        finally
        {
            if (!ends)
            {
                lock (_gate)
                {
                    _isBlinking = false;
                }
            }
        }
    }

    private bool IsOver()
    {
        lock (_gate)
        {
            return time.GetElapsedTime(_began) >= _length;
        }
    }

    /// <summary>Ends the blinking unless it was asked for again; from then on somebody else may begin it.</summary>
    private bool EndsNow()
    {
        lock (_gate)
        {
            var over = time.GetElapsedTime(_began) >= _length;
            _isBlinking = !over;
            return over;
        }
    }
}
