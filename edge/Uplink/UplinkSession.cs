using System.Security.Cryptography.X509Certificates;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Topics;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Hub.Edge.Uplink;

/// <summary>
/// One connection to the hub, from CONNECT to its end. A single loop reads the outbox, publishes, and settles acknowledgements in the order of the packs, whatever the
/// order they come in.
/// </summary>
internal sealed class UplinkSession(
    IOutbox outbox, HubOptions hub, UplinkOptions options, StationBirth birth, UplinkInstruments instruments, TimeProvider time, ILogger logger, Action<bool, string?> say)
{
    /// <summary>Room for topic and properties in the broker's packet limit, bytes.</summary>
    private const int PacketOverhead = 512;

    /// <summary>How long an orderly stop waits for what is in flight, and again for saying goodbye.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromMilliseconds(800);

    private readonly string _topic = HubTopic.Readings(hub.Municipality, hub.Station);
    private readonly TaskCompletionSource<MqttClientDisconnectedEventArgs> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True once the hub has acknowledged readings on this connection.</summary>
    public bool HasWorked { get; private set; }

    /// <summary>Reason code of the refused CONNECT.</summary>
    public int RefusalCode { get; private set; }

    /// <summary>What the hub said to it.</summary>
    public string RefusalReason { get; private set; } = "";

    /// <summary>Connects and works until the line breaks (how and why is returned or thrown) or the agent stops.</summary>
    public async Task<(SessionEnd End, string Problem)> RunAsync(CancellationToken stopping)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        client.DisconnectedAsync += e =>
        {
            _lost.TrySetResult(e);
            return Task.CompletedTask;
        };

        MqttClientConnectResult connected;
        using (var limit = new CancellationTokenSource(options.ConnectTimeout, time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping))
        {
            connected = await client.ConnectAsync(await ConnectOptionsAsync(stopping).ConfigureAwait(false), either.Token).ConfigureAwait(false);
        }

        if (connected.ResultCode != MqttClientConnectResultCode.Success)
        {
            (RefusalCode, RefusalReason) = ((int)connected.ResultCode, Reason(connected.ReasonString, connected.ResultCode.ToString()));
            return (
                UplinkDecisions.IsUnauthorised(RefusalCode) ? SessionEnd.Unauthorised : SessionEnd.Lost,
                $"The hub refused the connection (code 0x{RefusalCode:X2} {RefusalReason}).");
        }

        instruments.Connected();
        say(true, null);
        logger.Connected(hub.Address, hub.Port, hub.UserName, outbox.Counters.Held);
        var bytesMax = connected.MaximumPacketSize is { } packet and > PacketOverhead ? (int)Math.Min(packet - PacketOverhead, ReadingPack.BytesMax) : ReadingPack.BytesMax;
        var inFlight = new Queue<Flight>();
        try
        {
            await SayStatusAsync(client, StatusMessages.Online(birth, time.GetUtcNow()), options.AckTimeout).ConfigureAwait(false);
            await PumpAsync(client, inFlight, UplinkDecisions.Window(options.Window, connected.ReceiveMaximum), bytesMax, stopping).ConfigureAwait(false);
            throw new InvalidOperationException("The pump ends only by an exception.");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await StopAsync(client, inFlight).ConfigureAwait(false);
            throw;
        }
        finally
        {
            foreach (var flight in inFlight)
            {
                flight.Dispose();
            }
        }
    }

    private async Task PumpAsync(IMqttClient client, Queue<Flight> inFlight, int window, int bytesMax, CancellationToken stopping)
    {
        var next = outbox.Head;
        var refusals = 0;
        Task<OutboxBatch>? read = null;
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (true)
            {
                stopping.ThrowIfCancellationRequested();
                inFlight.TryPeek(out var oldest);
                if (_lost.Task.IsCompleted)
                {
                    throw Broken(await _lost.Task.ConfigureAwait(false), oldest);
                }

                if (oldest is { Answer.IsCompleted: true })
                {
                    if (await SettleAsync(oldest, refusals, stopping).ConfigureAwait(false) is { } pause)
                    {
                        refusals++;
                        await Task.WhenAny(Task.Delay(pause, time, stopping), _lost.Task).ConfigureAwait(false);
                        oldest.Send(client, Message(oldest.Pack), options.AckTimeout, time);
                        instruments.Sent(oldest.Pack.Count - oldest.Pack.Bad);
                    }
                    else
                    {
                        refusals = 0;
                        inFlight.Dequeue().Dispose();
                    }

                    continue;
                }

                if (inFlight.Count < window)
                {
                    read ??= outbox.ReadAsync(next, options.PackReadings, reading.Token).AsTask();
                    if (read.IsCompleted)
                    {
                        var batch = await read.ConfigureAwait(false);
                        read = null;
                        var pack = Pack.Encode(batch, options.Encoding, bytesMax, logger);
                        next = pack.Until;
                        var flight = new Flight(pack);
                        inFlight.Enqueue(flight);
                        flight.Send(client, Message(pack), options.AckTimeout, time);
                        instruments.Sent(pack.Count - pack.Bad);
                        continue;
                    }
                }

                Task wait = (read, oldest) switch
                {
                    ({ } r, { } o) => (Task)Task.WhenAny(r, o.Answer, _lost.Task),
                    ({ } r, null) => Task.WhenAny(r, _lost.Task),
                    (null, { } o) => Task.WhenAny(o.Answer, _lost.Task),
                    _ => _lost.Task,
                };
                await wait.ConfigureAwait(false);
            }
        }
        finally
        {
            await reading.CancelAsync().ConfigureAwait(false);
            if (read is not null)
            {
                await read.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
                _ = read.Exception;
            }
        }
    }

    /// <summary>Acts on the answer to the oldest pack; returns how long to wait before it is sent again, or null when it is done.</summary>
    private async Task<TimeSpan?> SettleAsync(Flight flight, int refusals, CancellationToken cancellationToken)
    {
        var pack = flight.Pack;
        MqttClientPublishResult? answer;
        try
        {
            answer = await flight.Answer.ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or MqttCommunicationTimedOutException)
        {
            throw Overdue(e);
        }

        var code = (int)(answer?.ReasonCode ?? MqttClientPublishReasonCode.Success);
        var reason = code == UplinkDecisions.NoMatchingSubscribers
            ? "no hub has joined this broker yet, or it has been away for longer than its session lasts"
            : Reason(answer?.ReasonString, answer?.ReasonCode.ToString() ?? "");
        instruments.Answered(code, flight.Elapsed(time));
        TimeSpan pause;
        switch (UplinkDecisions.Judge(code))
        {
            case Verdict.Taken:
                await outbox.ReleaseAsync(pack.Until, pack.Bad, cancellationToken).ConfigureAwait(false);
                HasWorked = true;
                instruments.Acknowledged(pack.Count - pack.Bad);
                instruments.Refused(pack.Bad);
                if (refusals > 0)
                {
                    say(true, null);
                }

                return null;
            case Verdict.Refused:
                await outbox.ReleaseAsync(pack.Until, pack.Count, cancellationToken).ConfigureAwait(false);
                HasWorked = true;
                instruments.Refused(pack.Count);
                logger.Refused(pack.Count, code, reason);
                say(true, $"The hub refused {pack.Count} readings for good (code 0x{code:X2} {reason}).");
                return null;
            case Verdict.Forbidden:
                pause = UplinkDecisions.Pause(refusals + 3, Random.Shared.NextDouble(), options.RetryDelayMin, options.RetryDelayMax);
                logger.Forbidden(hub.UserName, _topic, code, reason, pause.TotalSeconds);
                say(true, $"The hub does not allow {hub.UserName} to publish on {_topic} (code 0x{code:X2} {reason}).");
                return pause;
            default:
                pause = UplinkDecisions.Pause(refusals, Random.Shared.NextDouble(), options.RetryDelayMin, options.RetryDelayMax);
                logger.Later(code, reason, pause.TotalSeconds);
                say(true, $"The hub cannot take readings now (code 0x{code:X2} {reason}).");
                return pause;
        }
    }

    /// <summary>Orderly stop: what is acknowledged within the grace is released, then the hub is told.</summary>
    private async Task StopAsync(IMqttClient client, Queue<Flight> inFlight)
    {
        try
        {
            using var grace = new CancellationTokenSource(StopGrace, time);
            while (inFlight.TryPeek(out var oldest))
            {
                await oldest.Answer.WaitAsync(grace.Token).ConfigureAwait(false);
                if (await SettleAsync(oldest, 0, grace.Token).ConfigureAwait(false) is not null)
                {
                    break;
                }

                inFlight.Dequeue().Dispose();
            }
        }
#pragma warning disable CA1031 // What is not settled now is sent again at the next start.
        catch (Exception e)
        {
            logger.GoodbyeFailed(e);
        }

        try
        {
            await SayStatusAsync(client, StatusMessages.Stopped(birth, time.GetUtcNow()), StopGrace).ConfigureAwait(false);
            using var limit = new CancellationTokenSource(StopGrace / 2, time);
            await client.DisconnectAsync(
                new MqttClientDisconnectOptions { SessionExpiryInterval = (uint)options.SessionExpiry.TotalSeconds }, limit.Token).ConfigureAwait(false);
            logger.Stopped(outbox.Counters.Held);
        }
        catch (Exception e)
        {
            logger.GoodbyeFailed(e);
        }
#pragma warning restore CA1031
    }

    private async Task SayStatusAsync(IMqttClient client, byte[] json, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience, time);
        var message = new MqttApplicationMessageBuilder().WithTopic(HubTopic.Status(hub.Municipality, hub.Station)).WithPayload(json)
            .WithContentType(StatusMessages.ContentType).WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        var answer = await client.PublishAsync(message, limit.Token).ConfigureAwait(false);
        if (!answer.IsSuccess && (int)answer.ReasonCode >= 0x80)
        {
            logger.StatusRefused((int)answer.ReasonCode, Reason(answer.ReasonString, answer.ReasonCode.ToString()));
        }
    }

    private MqttApplicationMessage Message(Pack pack) =>
        new MqttApplicationMessageBuilder().WithTopic(_topic).WithPayload(pack.Payload).WithContentType(options.Encoding.ContentType())
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();

    private async Task<MqttClientOptions> ConnectOptionsAsync(CancellationToken cancellationToken)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(hub.Address, hub.Port)
            .WithClientId(hub.UserName)
            .WithCredentials(hub.UserName, await ReadSecretAsync(cancellationToken).ConfigureAwait(false))
            .WithCleanStart(false)
            .WithSessionExpiryInterval((uint)options.SessionExpiry.TotalSeconds)
            .WithKeepAlivePeriod(options.KeepAlive)
            .WithTimeout(options.AckTimeout)
            .WithRequestProblemInformation(true)
            .WithWillTopic(HubTopic.Status(hub.Municipality, hub.Station))
            .WithWillPayload(StatusMessages.Lost(birth))
            .WithWillContentType(StatusMessages.ContentType)
            .WithWillRetain(true)
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillDelayInterval((uint)options.WillDelay.TotalSeconds);
        if (hub.Tls)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.UseTls().WithTargetHost(hub.Address);
                if (hub.CaFile is { Length: > 0 })
                {
                    var authorities = new X509Certificate2Collection();
                    authorities.ImportFromPemFile(hub.CaFile);
                    if (authorities.Count == 0)
                    {
                        throw new IOException($"Agent:Hub:CaFile '{hub.CaFile}' holds no certificate; give the authority's in PEM form");
                    }

                    // An authority of one's own rarely publishes revocation lists, and a list that cannot be fetched would keep the station offline.
                    tls.WithTrustChain(authorities).WithRevocationMode(X509RevocationMode.NoCheck);
                }
            });
        }

        return builder.Build();
    }

    private async Task<string> ReadSecretAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(hub.SecretFile))
        {
            return hub.Secret ?? "";
        }

        using var reader = new StreamReader(hub.SecretFile);
        return (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false))?.Trim() ?? "";
    }

    private static string Reason(string? said, string code) => string.IsNullOrWhiteSpace(said) ? code : said;

    /// <summary>Why the connection ended, in our words: the client gives it up itself when an answer is overdue.</summary>
    private Exception Broken(MqttClientDisconnectedEventArgs lost, Flight? oldest)
    {
        if (oldest is not null && oldest.Elapsed(time) >= options.AckTimeout)
        {
            return Overdue(lost.Exception);
        }

        return lost.Exception switch
        {
            null => new IOException($"the hub ended the connection, code 0x{(int)lost.Reason:X2} {Reason(lost.ReasonString, lost.Reason.ToString())}"),
            MqttCommunicationTimedOutException e => new TimeoutException("no answer to a sign of life", e),
            { } e => new IOException("the connection broke", e),
        };
    }

    private TimeoutException Overdue(Exception? cause) => new($"no acknowledgement within {options.AckTimeout.TotalSeconds:0} s", cause);

    /// <summary>A pack on its way.</summary>
    private sealed class Flight(Pack pack) : IDisposable
    {
        private CancellationTokenSource? _limit;
        private long _sentAt;

        public Pack Pack { get; } = pack;

        /// <summary>Completes with the acknowledgement (null when there was nothing to send), or fails with the connection, or is cancelled when none came in time.</summary>
        public Task<MqttClientPublishResult?> Answer { get; private set; } = Task.FromResult<MqttClientPublishResult?>(null);

        public void Send(IMqttClient client, MqttApplicationMessage message, TimeSpan patience, TimeProvider time)
        {
            _sentAt = time.GetTimestamp();
            if (Pack.Payload.Length == 0)
            {
                return;
            }

            _limit?.Dispose();
            _limit = new CancellationTokenSource(patience, time);
            Answer = PublishAsync(client, message, _limit.Token);
        }

        public TimeSpan Elapsed(TimeProvider time) => time.GetElapsedTime(_sentAt);

        /// <summary>Nobody waits for the answer any more.</summary>
        public void Dispose()
        {
            _limit?.Cancel();
            _limit?.Dispose();
            _ = Answer.ContinueWith(task => task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        private static async Task<MqttClientPublishResult?> PublishAsync(IMqttClient client, MqttApplicationMessage message, CancellationToken cancellationToken) =>
            await client.PublishAsync(message, cancellationToken).ConfigureAwait(false);
    }
}
