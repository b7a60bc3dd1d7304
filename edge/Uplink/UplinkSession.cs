using System.Net.Security;
using System.Security.Authentication;
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
/// One connection to the hub, from CONNECT to its end. A single loop reads the outbox, publishes, and settles acknowledgements. It keeps two lanes: what is taken from now on
/// goes first, what had waited follows, oldest first, in the room and at the rate that is left. Each lane settles in the order of its packs, whatever the order the answers
/// come in.
/// </summary>
internal sealed class UplinkSession(
    IOutbox outbox, HubOptions hub, UplinkOptions options, IStationSelf self, Downlink downlink, Credentials credentials, UplinkInstruments instruments, TimeProvider time, ILogger logger,
    Action<bool, string?> say)
{
    /// <summary>Room for topic and properties in the broker's packet limit, bytes.</summary>
    private const int PacketOverhead = 512;

    /// <summary>How long an orderly stop waits for what is in flight, and for the line to close.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromMilliseconds(800);

    // A goodbye that is not acknowledged makes the hub take an orderly stop for a loss, so a slow link gets longer for it than what is sent again anyway.
    private static readonly TimeSpan GoodbyePatience = TimeSpan.FromSeconds(3);

    private readonly StationClock? _clock = time as StationClock;
    private readonly string _topic = HubTopic.Readings(hub.Municipality, hub.Station);
    private readonly TaskCompletionSource<MqttClientDisconnectedEventArgs> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the station says of itself, its start at the time it really was once that is known.</summary>
    private StationBirth Birth => self.Birth is var birth && birth.Started < StationClock.Earliest && _clock is not null && _clock.TryGetStamp(out var offset)
        ? birth with { Started = birth.Started + offset.Value }
        : birth;

    /// <summary>True once the hub has acknowledged readings on this connection.</summary>
    public bool HasWorked { get; private set; }

    /// <summary>True when the connection ended because another one was opened under the station's name.</summary>
    public bool WasTakenOver { get; private set; }

    /// <summary>Reason code of the refused CONNECT.</summary>
    public int RefusalCode { get; private set; }

    /// <summary>What the hub said to it.</summary>
    public string RefusalReason { get; private set; } = "";

    /// <summary>False when the next connection follows at once: the hub is not told that the station goes.</summary>
    public bool SaysGoodbye { get; set; } = true;

    /// <summary>True when the hub refused a secret and there is another one to try.</summary>
    public bool HasOtherSecret { get; private set; }

    /// <summary>Connects and works until the line breaks (how and why is returned or thrown) or it is stopped.</summary>
    public async Task<(SessionEnd End, string Problem)> RunAsync(CancellationToken stopping)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        client.DisconnectedAsync += e =>
        {
            WasTakenOver = e.Reason == MqttClientDisconnectReason.SessionTakenOver;
            _lost.TrySetResult(e);
            return Task.CompletedTask;
        };

        var courier = new Courier(client, hub, options, () => Birth, downlink, instruments, time, logger);
        var answers = _clock is { IsTrusted: false } ? new TimeQuestion(client, _clock, hub, time) : null;
        MqttClientConnectResult connected;
        using (var limit = new CancellationTokenSource(options.ConnectTimeout, time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping))
        {
            connected = await client.ConnectAsync(ConnectOptions(), either.Token).ConfigureAwait(false);
        }

        if (connected.ResultCode != MqttClientConnectResultCode.Success)
        {
            (RefusalCode, RefusalReason) = ((int)connected.ResultCode, Reason(connected.ReasonString, connected.ResultCode.ToString()));
            var unauthorised = UplinkDecisions.IsUnauthorised(RefusalCode);
            HasOtherSecret = unauthorised && credentials.Refused();
            return (
                unauthorised ? SessionEnd.Unauthorised : SessionEnd.Lost,
                $"The hub refused the connection (code 0x{RefusalCode:X2} {RefusalReason}).");
        }

        credentials.Accepted();
        instruments.Connected();
        say(true, null);
        logger.Connected(hub.Address, hub.Port, hub.UserName, outbox.Counters.Held);
        var bytesMax = connected.MaximumPacketSize is { } packet and > PacketOverhead ? (int)Math.Min(packet - PacketOverhead, ReadingPack.BytesMax) : ReadingPack.BytesMax;
        var live = new Lane { Next = outbox.Live };
        var backlog = new Lane();
        backlog.Ranges.Enqueue((outbox.Head, live.Next));
        using var carries = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task? carrying = null;
        try
        {
            await courier.SayOnlineAsync(stopping).ConfigureAwait(false);
            carrying = courier.RunAsync(carries.Token);
            if (answers is not null && _clock is not null)
            {
                // What was taken so far has no time yet and cannot be sent.
                logger.AsksTime();
                var asking = answers.AskAsync(stopping);
                await Task.WhenAny(_clock.Trusted, asking, carrying, _lost.Task).ConfigureAwait(false);
                stopping.ThrowIfCancellationRequested();
                if (!_clock.IsTrusted)
                {
                    throw _lost.Task.IsCompleted ? Broken(await _lost.Task.ConfigureAwait(false), null) : asking.Exception ?? carrying.Exception ?? (Exception)new IOException("the question for the time failed");
                }

                logger.KnowsTime(time.GetUtcNow());
                live.Next = outbox.Live;
                backlog.Ranges.Clear();
                backlog.Ranges.Enqueue((outbox.Head, live.Next));
                await courier.SayOnlineAsync(stopping).ConfigureAwait(false);
            }

            await PumpAsync(client, live, backlog, UplinkDecisions.Window(options.Window, connected.ReceiveMaximum), bytesMax, carrying, stopping).ConfigureAwait(false);
            throw new InvalidOperationException("The pump ends only by an exception.");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await QuietAsync(carrying).ConfigureAwait(false);
            await StopAsync(client, courier, live, backlog).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await carries.CancelAsync().ConfigureAwait(false);
            await QuietAsync(carrying).ConfigureAwait(false);
            if (!stopping.IsCancellationRequested)
            {
                courier.Lost();
            }

            live.Dispose();
            backlog.Dispose();
        }
    }

    /// <summary>Waits for the end of what was cancelled or failed; how it ended has been said, or is of no interest.</summary>
    private static Task QuietAsync(Task? task) =>
        task?.ContinueWith(ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default) ?? Task.CompletedTask;

    private async Task PumpAsync(IMqttClient client, Lane live, Lane backlog, int window, int bytesMax, Task carrying, CancellationToken stopping)
    {
        var pace = new Pace(options.BacklogReadingsPerSecond, time);
        Task<OutboxBatch>? read = null;
        Task? rest = null;
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (true)
            {
                stopping.ThrowIfCancellationRequested();
                if (_lost.Task.IsCompleted)
                {
                    throw Broken(await _lost.Task.ConfigureAwait(false), live.Oldest ?? backlog.Oldest);
                }

                if (await AdvanceAsync(client, live, stopping).ConfigureAwait(false) || await AdvanceAsync(client, backlog, stopping).ConfigureAwait(false))
                {
                    continue;
                }

                if (carrying.IsCompleted)
                {
                    // It ends by an exception alone; of a broken line the client says more.
                    await Task.WhenAny(_lost.Task, carrying.Exception?.InnerException is TimeoutException ? carrying : Task.Delay(StopGrace, time, stopping)).ConfigureAwait(false);
                    throw _lost.Task.IsCompleted ? Broken(await _lost.Task.ConfigureAwait(false), live.Oldest ?? backlog.Oldest) : carrying.Exception?.InnerException ?? new IOException("the line was given up");
                }

                var inFlight = live.InFlight.Count + backlog.InFlight.Count;
                if (live.Pause is null && inFlight < window)
                {
                    read ??= outbox.ReadAsync(live.Next, options.PackReadings, reading.Token).AsTask();
                    if (read.IsCompleted)
                    {
                        var batch = await read.ConfigureAwait(false);
                        read = null;
                        live.Next = Send(client, live, batch, bytesMax);
                        if (UplinkDecisions.IsBehind(live.Next, outbox.Live, backlog.Ranges.Count, options))
                        {
                            // It has become a backlog itself, as after a refusal or a source that brings its past along: what is taken from now on goes first.
                            backlog.Ranges.Enqueue((live.Next, outbox.Live));
                            live.Next = outbox.Live;
                        }

                        continue;
                    }
                }

                // One place is kept for what is taken now, so that it never waits for the answer to something old.
                if (backlog.Pause is null && backlog.Ranges.Count > 0 && inFlight < Math.Max(1, window - 1) && rest is null or { IsCompleted: true })
                {
                    rest = pace.Rest() is { } pause && pause > TimeSpan.Zero ? Task.Delay(pause, time, reading.Token) : null;
                    if (rest is null)
                    {
                        var (from, until) = backlog.Ranges.Peek();
                        if (await outbox.TryReadAsync(Math.Max(from, backlog.Next), until, options.PackReadings, stopping).ConfigureAwait(false) is { } batch)
                        {
                            backlog.Next = Send(client, backlog, batch, bytesMax);
                            pace.Took((int)(backlog.Next - batch.From));
                        }
                        else
                        {
                            backlog.Ranges.Dequeue();
                        }

                        continue;
                    }
                }

                // Readings that cannot be sent now are no reason to go round again.
                var readable = live.Pause is null && inFlight < window ? read : null;
                await Task.WhenAny([.. new[] { readable, rest is { IsCompleted: false } ? rest : null, live.Waits, backlog.Waits, carrying, _lost.Task }.OfType<Task>()]).ConfigureAwait(false);
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

    /// <summary>Encodes and publishes the front of a batch; the sequence number behind it.</summary>
    private long Send(IMqttClient client, Lane lane, OutboxBatch batch, int bytesMax)
    {
        var pack = Pack.Encode(batch, options.Encoding, bytesMax, time.GetUtcNow().UtcDateTime, logger);
        batch.GiveBack();
        var flight = new Flight(pack);
        lane.InFlight.Enqueue(flight);
        flight.Send(client, Message(pack), options.AckTimeout, time);
        instruments.Sent(pack.Sent);
        return pack.Until;
    }

    /// <summary>Settles the oldest pack of a lane, or sends it again when its pause is over; false when neither can be done now.</summary>
    private async Task<bool> AdvanceAsync(IMqttClient client, Lane lane, CancellationToken stopping)
    {
        if (lane.Oldest is not { } oldest)
        {
            return false;
        }

        if (lane.Pause is { } pause)
        {
            if (!pause.IsCompleted)
            {
                return false;
            }

            lane.Pause = null;
            oldest.Send(client, Message(oldest.Pack), options.AckTimeout, time);
            instruments.Sent(oldest.Pack.Sent);
            return true;
        }

        if (!oldest.Answer.IsCompleted)
        {
            return false;
        }

        if (await SettleAsync(oldest, lane.Refusals, stopping).ConfigureAwait(false) is { } length)
        {
            lane.Refusals++;
            lane.Pause = Task.Delay(length, time, stopping);
        }
        else
        {
            lane.Refusals = 0;
            lane.InFlight.Dequeue().Dispose();
        }

        return true;
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
                await outbox.ReleaseAsync(pack.From, pack.Until, pack.Bad, pack.Expired, cancellationToken).ConfigureAwait(false);
                HasWorked = true;
                instruments.Acknowledged(pack.Sent);
                instruments.Refused(pack.Bad);
                if (refusals > 0)
                {
                    say(true, null);
                }

                return null;
            case Verdict.Refused:
                await outbox.ReleaseAsync(pack.From, pack.Until, pack.Count - pack.Expired, pack.Expired, cancellationToken).ConfigureAwait(false);
                HasWorked = true;
                instruments.Refused(pack.Count - pack.Expired);
                logger.Refused(pack.Count - pack.Expired, code, reason);
                say(true, $"The hub refused {pack.Count - pack.Expired} readings for good (code 0x{code:X2} {reason}).");
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
    private async Task StopAsync(IMqttClient client, Courier courier, params Lane[] lanes)
    {
        try
        {
            using var grace = new CancellationTokenSource(StopGrace, time);
            foreach (var lane in lanes)
            {
                while (lane is { Oldest: { } oldest, Pause: null })
                {
                    await oldest.Answer.WaitAsync(grace.Token).ConfigureAwait(false);
                    if (await SettleAsync(oldest, 0, grace.Token).ConfigureAwait(false) is not null)
                    {
                        break;
                    }

                    lane.InFlight.Dequeue().Dispose();
                }
            }
        }
#pragma warning disable CA1031 // What is not settled now is sent again at the next start.
        catch (Exception e)
        {
            logger.GoodbyeFailed(e);
        }

        try
        {
            if (SaysGoodbye)
            {
                await courier.SayStoppedAsync(GoodbyePatience).ConfigureAwait(false);
            }

            using var limit = new CancellationTokenSource(StopGrace, time);
            await client.DisconnectAsync(
                new MqttClientDisconnectOptions { SessionExpiryInterval = (uint)options.SessionExpiry.TotalSeconds }, limit.Token).ConfigureAwait(false);
            if (SaysGoodbye)
            {
                logger.Stopped(outbox.Counters.Held);
            }
        }
        catch (Exception e)
        {
            logger.GoodbyeFailed(e);
        }
#pragma warning restore CA1031
    }

    private MqttApplicationMessage Message(Pack pack) =>
        new MqttApplicationMessageBuilder().WithTopic(_topic).WithPayload(pack.Payload).WithContentType(options.Encoding.ContentType())
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithMessageExpiryInterval(Expiry(pack)).Build();

    /// <summary>Seconds after which a broker may forget a pack that is of live interest only; 0, which is never, for all others.</summary>
    private uint Expiry(Pack pack) => pack.LiveUntil is { } until ? (uint)Math.Max(1, Math.Ceiling((until - time.GetUtcNow().UtcDateTime).TotalSeconds)) : 0;

    private MqttClientOptions ConnectOptions()
    {
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(hub.Address, hub.Port)
            .WithClientId(hub.UserName)
            .WithCredentials(hub.UserName, credentials.Choose(ReadSecret))
            .WithCleanStart(false)
            .WithSessionExpiryInterval((uint)options.SessionExpiry.TotalSeconds)
            .WithKeepAlivePeriod(options.KeepAlive)
            .WithTimeout(options.AckTimeout)
            .WithRequestProblemInformation(true)
            .WithWillTopic(HubTopic.Status(hub.Municipality, hub.Station))
            .WithWillPayload(StatusMessages.Lost(Birth))
            .WithWillContentType(StatusMessages.ContentType)
            .WithWillRetain(true)
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillDelayInterval((uint)options.WillDelay.TotalSeconds);
        if (hub.Tls)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.UseTls().WithTargetHost(hub.Address).WithSslProtocols(SslProtocols.Tls12 | SslProtocols.Tls13);
                if (hub.HasCertificate)
                {
                    // Through PKCS #12 and back: TLS wants the key beside the certificate, not only in memory. The chain goes along for brokers that know the root alone.
                    using var own = X509Certificate2.CreateFromPemFile(hub.CertificateFile!, hub.KeyFile);
                    var chain = new X509Certificate2Collection();
                    chain.ImportFromPemFile(hub.CertificateFile!);
                    chain[0].Dispose();
                    chain[0] = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
                    tls.WithClientCertificates(chain);
                }

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
                    if (_clock is { IsTrusted: false })
                    {
                        // In 1970 no certificate is valid yet, and without the hub it may stay 1970. Its authority and name must be right all the same.
                        tls.WithCertificateValidationHandler(e => e.SslPolicyErrors == SslPolicyErrors.None
                            || (e.SslPolicyErrors == SslPolicyErrors.RemoteCertificateChainErrors && e.Chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.NotTimeValid)));
                    }
                }
            });
        }

        return builder.Build();
    }

    private string ReadSecret()
    {
        if (string.IsNullOrEmpty(hub.SecretFile))
        {
            return hub.Secret ?? "";
        }

        using var reader = new StreamReader(hub.SecretFile);
        return reader.ReadLine()?.Trim() ?? "";
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

    /// <summary>One order of sending.</summary>
    private sealed class Lane : IDisposable
    {
        /// <summary>Sequence number behind what has been sent.</summary>
        public long Next { get; set; }

        /// <summary>What is still to be sent, where that is known; the front one is being sent.</summary>
        public Queue<(long From, long Until)> Ranges { get; } = new();

        public Queue<Flight> InFlight { get; } = new();

        public Flight? Oldest => InFlight.TryPeek(out var oldest) ? oldest : null;

        /// <summary>Refusals of the oldest pack in a row.</summary>
        public int Refusals { get; set; }

        /// <summary>Runs while the oldest pack waits to be sent again; nothing else of this lane is sent meanwhile.</summary>
        public Task? Pause { get; set; }

        /// <summary>Completes when the lane can go on; null when nothing of it is on its way.</summary>
        public Task? Waits => Pause ?? Oldest?.Answer;

        public void Dispose()
        {
            foreach (var flight in InFlight)
            {
                flight.Dispose();
            }
        }
    }

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
