using System.Security.Authentication;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink;

/// <summary>Keeps a connection to the hub for as long as the agent runs: one <see cref="UplinkSession"/> after another, with pauses between them.</summary>
internal sealed class UplinkService(
    IOutbox outbox, UplinkSettings settings, IStationSelf self, Downlink downlink, Credentials credentials, UplinkInstruments instruments, TimeProvider time, ILogger logger)
    : BackgroundService, IUplink
{
    private readonly Lock _gate = new();
    private UplinkSettings _settings = settings;
    private Round? _round;
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

    public async Task ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var next = UplinkSettings.Read(configuration);
        Round? round;
        lock (_gate)
        {
            var moves = next.HubText != _settings.HubText;
            if (!moves && next.UplinkText == _settings.UplinkText)
            {
                return;
            }

            _settings = next;
            round = _round;
            round?.End(saysGoodbye: moves);
        }

        if (round is not null)
        {
            await round.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<RotationOutcome> RotateAsync(string secret, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!credentials.CanRotate)
        {
            return RotationOutcome.NoFolder;
        }

        var outcome = credentials.Stage(secret);
        lock (_gate)
        {
            _round?.End(saysGoodbye: false);
        }

        try
        {
            return await outcome.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            credentials.Withdraw();
            return RotationOutcome.Unreachable;
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ConnectAsync(stoppingToken), downlink.RunAsync(stoppingToken));

    private async Task ConnectAsync(CancellationToken stoppingToken)
    {
        var attempt = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            Round round;
            UplinkSession session;
            lock (_gate)
            {
                session = new UplinkSession(outbox, _settings.Hub, _settings.Uplink, self, downlink, credentials, instruments, time, logger, Say);
                _round = round = new Round(session, stoppingToken);
            }

            try
            {
                attempt = await ConnectAsync(session, attempt, round.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (round.Token.IsCancellationRequested)
            {
                // The agent stops, or another connection is wanted.
                Say(false, null);
                attempt = 0;
            }
            finally
            {
                lock (_gate)
                {
                    _round = null;
                }

                round.Dispose();
            }
        }

        Say(false, null);
    }

    /// <summary>One connection and the pause after it; the number of the next attempt.</summary>
    private async Task<int> ConnectAsync(UplinkSession session, int attempt, CancellationToken stopping)
    {
        SessionEnd end;
        string problem;
        try
        {
            (end, problem) = await session.RunAsync(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever breaks a connection, the next one is tried: a station must never fall silent for good.
        catch (Exception e)
        {
            logger.Ended(e);
            (end, problem) = (session.WasTakenOver ? SessionEnd.TakenOver : session.HasWorked ? SessionEnd.LostAfterWork : SessionEnd.Lost, Explain(e));
        }
#pragma warning restore CA1031

        Say(false, problem);
        stopping.ThrowIfCancellationRequested();
        if (session.HasOtherSecret)
        {
            logger.OtherSecret(session.RefusalCode, session.RefusalReason);
            return attempt;
        }

        var hub = _settings.Hub;
        (var pause, attempt) = UplinkDecisions.Reconnect(end, attempt, Random.Shared.NextDouble(), _settings.Uplink);
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

        await Task.Delay(pause, time, stopping).ConfigureAwait(false);
        return attempt;
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
            var authority = _settings.Hub.CaFile is { Length: > 0 } file ? $"in '{file}'" : "that this machine trusts; for one of your own give Agent:Hub:CaFile";
            return $"The hub's certificate is not accepted: it must be for '{_settings.Hub.Address}' and of an authority {authority} ({inner.Message.TrimEnd('.')}).";
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

    /// <summary>One connection and the pause after it, which can be ended from outside.</summary>
    private sealed class Round(UplinkSession session, CancellationToken stopping) : IDisposable
    {
        private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Token => _end.Token;

        public Task Ended => _ended.Task;

        public void End(bool saysGoodbye)
        {
            session.SaysGoodbye = saysGoodbye;

            // Not on this thread: what waits for the token would go on inside our lock.
            _ = _end.CancelAsync();
        }

        public void Dispose()
        {
            _ended.TrySetResult();
            _end.Dispose();
        }
    }
}
