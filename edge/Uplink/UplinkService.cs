using System.Security.Authentication;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink;

/// <summary>Keeps a connection to the hub for as long as the agent runs: one <see cref="UplinkSession"/> after another, with pauses between them.</summary>
internal sealed class UplinkService(
    IOutbox outbox, HubOptions hub, UplinkOptions options, StationBirth birth, UplinkInstruments instruments, TimeProvider time, ILogger logger) : BackgroundService, IUplink
{
    private readonly Lock _gate = new();
    private UplinkState _state = new(false, time.GetUtcNow(), null, 0, 0, 0, 0);

    public UplinkState State
    {
        get
        {
            lock (_gate)
            {
                return _state with
                {
                    Connections = instruments.Connections,
                    ReadingsSent = instruments.ReadingsSent,
                    ReadingsAcknowledged = instruments.ReadingsAcknowledged,
                    ReadingsRefused = instruments.ReadingsRefused,
                };
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var attempt = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            var session = new UplinkSession(outbox, hub, options, birth, instruments, time, logger, Say);
            SessionEnd end;
            string problem;
            try
            {
                (end, problem) = await session.RunAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // Whatever breaks a connection, the next one is tried: a station must never fall silent for good.
            catch (Exception e)
            {
                logger.Ended(e);
                (end, problem) = (session.WasTakenOver ? SessionEnd.TakenOver : session.HasWorked ? SessionEnd.LostAfterWork : SessionEnd.Lost, Explain(e));
            }
#pragma warning restore CA1031

            Say(false, problem);
            if (stoppingToken.IsCancellationRequested)
            {
                break;
            }

            (var pause, attempt) = UplinkDecisions.Reconnect(end, attempt, Random.Shared.NextDouble(), options);
            if (end == SessionEnd.Unauthorised)
            {
                logger.Unauthorised(hub.Address, hub.Port, hub.UserName, session.RefusalCode, session.RefusalReason, pause.TotalSeconds);
            }
            else if (end == SessionEnd.TakenOver)
            {
                logger.TakenOver(hub.UserName, pause.TotalSeconds);
            }
            else
            {
                logger.WillRetry(problem, pause.TotalSeconds);
            }

            try
            {
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        Say(false, null);
    }

    private string Explain(Exception e)
    {
        var inner = e;
        var untrusted = e is AuthenticationException;
        while (inner.InnerException is not null)
        {
            inner = inner.InnerException;
            untrusted |= inner is AuthenticationException;
        }

        if (untrusted)
        {
            var authority = hub.CaFile is { Length: > 0 } file ? $"in '{file}'" : "that this machine trusts; for one of your own give Agent:Hub:CaFile";
            return $"The hub's certificate is not accepted: it must be for '{hub.Address}' and of an authority {authority} ({inner.Message.TrimEnd('.')}).";
        }

        return e is TimeoutException || inner is OperationCanceledException
            ? $"The hub did not answer in time ({(e is TimeoutException ? e : inner).Message.TrimEnd('.')})."
            : $"The line to the hub is down ({inner.Message.TrimEnd('.')}).";
    }

    private void Say(bool connected, string? problem)
    {
        lock (_gate)
        {
            _state = _state with { Connected = connected, Since = connected == _state.Connected ? _state.Since : time.GetUtcNow(), Problem = problem };
        }
    }
}
