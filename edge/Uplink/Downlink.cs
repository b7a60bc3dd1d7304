using System.Buffers;
using System.Threading.Channels;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace Hub.Edge.Uplink;

/// <summary>An answer on its way to the hub.</summary>
internal sealed record Reply(byte[] Correlation, byte[] Payload)
{
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the broker has it, or will never take it.</summary>
    public Task Sent => _sent.Task;

    public void Settled() => _sent.TrySetResult();
}

/// <summary>
/// What the hub says to the station, over one connection after another: messages go from the client's receive loop, which they must not hold up, through a bounded channel to
/// one reader; answers wait for whichever connection there is.
/// </summary>
internal sealed class Downlink(
    string municipality, string station, ITwinLink? twin, ICommandLink? commands, AnsweredCommands answered, UplinkInstruments instruments, TimeProvider time, ILogger logger)
{
    /// <summary>Most messages that wait to be acted on.</summary>
    public const int WaitingMax = 16;

    /// <summary>Most answers that wait to be sent.</summary>
    public const int RepliesMax = 64;

    /// <summary>Largest arguments of a command, bytes.</summary>
    public const int ArgumentBytesMax = 64 * 1024;

    /// <summary>Largest message that is handed on; what is larger is no document of the contract.</summary>
    private const int DesiredBytesMax = 256 * 1024;

    /// <summary>How long a command may take.</summary>
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(2);

    /// <summary>How long what follows a command waits until the hub has the answer.</summary>
    private static readonly TimeSpan AfterwardsLimit = TimeSpan.FromSeconds(5);

    private readonly string _commandPrefix = HubTopic.CommandTopic(municipality, station, "");
    private readonly Channel<Incoming> _incoming = Channel.CreateBounded<Incoming>(new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly Channel<Reply> _replies = Channel.CreateBounded<Reply>(new BoundedChannelOptions(RepliesMax) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    // The newest document that has not been looked at; an older one is of no interest any more.
    private byte[]? _desired;

    /// <summary>The topic of desired documents; null where nobody takes them.</summary>
    public string? DesiredTopic { get; } = twin is null ? null : HubTopic.ConfigDesired(municipality, station);

    /// <summary>The filter of commands; null where nobody does them.</summary>
    public string? CommandFilter { get; } = commands is null ? null : HubTopic.CommandTopic(municipality, station, "+");

    public string ReplyTopic { get; } = HubTopic.Reply(municipality, station);

    public ITwinLink? Twin => twin;

    /// <summary>Answers that wait to be sent.</summary>
    public ChannelReader<Reply> Replies => _replies.Reader;

    /// <summary>Whether a connection may subscribe and report, after the broker broke connections over it.</summary>
    public SubscriptionGuard Guard { get; } = new();

    /// <summary>Takes a message from the client's receive loop; returns at once.</summary>
    public void Receive(MqttApplicationMessage message)
    {
        if (message.Topic == DesiredTopic)
        {
            if (message.Payload.Length == 0)
            {
                // The retained message was removed: the hub wants nothing particular any more, and what is in force stays.
                return;
            }

            if (message.Payload.Length > DesiredBytesMax)
            {
                instruments.Ignored("size");
                logger.DownlinkIgnored(message.Topic, $"it has {message.Payload.Length} bytes");
                return;
            }

            if (Interlocked.Exchange(ref _desired, message.Payload.ToArray()) is null && !_incoming.Writer.TryWrite(Incoming.Desired))
            {
                // It comes again at the next connection.
                _ = Interlocked.Exchange(ref _desired, null);
                instruments.Ignored("full");
                logger.DownlinkIgnored(message.Topic, "too much waits to be acted on");
            }

            return;
        }

        if (commands is null || !message.Topic.StartsWith(_commandPrefix, StringComparison.Ordinal))
        {
            return;
        }

        var name = message.Topic[_commandPrefix.Length..];
        if (name == "time")
        {
            // The answer to a question of ours.
            return;
        }

        if (Objection(message) is { } objection)
        {
            instruments.Ignored("form");
            logger.DownlinkIgnored(message.Topic, objection);
            return;
        }

        if (!_incoming.Writer.TryWrite(new Incoming(name, message.Payload.ToArray(), message.CorrelationData)))
        {
            instruments.Ignored("full");
            _ = Answer(message.CorrelationData, new CommandReply(CommandOutcome.Failed, "Too many commands wait at the station.").ToUtf8());
        }
    }

    /// <summary>Acts on what came, one after the other, until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (var incoming in _incoming.Reader.ReadAllAsync(stopping).ConfigureAwait(false))
            {
                if (incoming.Name is not null)
                {
                    await DoAsync(incoming, stopping).ConfigureAwait(false);
                }
                else if (Interlocked.Exchange(ref _desired, null) is { } document)
                {
                    await TakeAsync(document, stopping).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task TakeAsync(byte[] document, CancellationToken stopping)
    {
        instruments.Desired();
        try
        {
            await twin!.DesiredAsync(document, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // The readings go on whatever becomes of a document.
        catch (Exception e)
        {
            logger.DesiredFailed(e);
        }
#pragma warning restore CA1031
    }

    private async Task DoAsync(Incoming command, CancellationToken stopping)
    {
        if (answered.Find(command.Correlation) is { } before)
        {
            instruments.Commanded("repeated");
            _ = Answer(command.Correlation, before.ToArray());
            return;
        }

        CommandAnswer answer;
        using var limit = new CancellationTokenSource(CommandLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            answer = await commands!.CommandAsync(command.Name!, command.Payload, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // A command that fails is an answer.
        catch (Exception e)
        {
            logger.CommandFailed(command.Name!, e);
            answer = new CommandAnswer(new CommandReply(
                CommandOutcome.Failed, e is OperationCanceledException ? $"It was not done within {CommandLimit.TotalSeconds:0} s." : $"A fault of the agent: {e.Message.ReplaceLineEndings(" ")}"));
        }
#pragma warning restore CA1031

        var payload = answer.Reply.ToUtf8();
        if (payload.Length > CommandReply.BytesMax)
        {
            payload = new CommandReply(CommandOutcome.Failed, $"The answer has {payload.Length} bytes; at most {CommandReply.BytesMax} are sent.").ToUtf8();
        }

        instruments.Commanded(answer.Reply.Outcome switch { CommandOutcome.Done => "done", CommandOutcome.Refused => "refused", _ => "failed" });
        logger.Commanded(command.Name!, answer.Reply.Outcome.ToString(), answer.Reply.Problem ?? "");
        answered.Remember(command.Correlation, payload);
        var sent = Answer(command.Correlation, payload);
        if (answer.Afterwards is { } afterwards)
        {
            await Task.WhenAny(sent, Task.Delay(AfterwardsLimit, time, stopping)).ConfigureAwait(false);
            stopping.ThrowIfCancellationRequested();
            afterwards();
        }
    }

    private Task Answer(byte[] correlation, byte[] payload)
    {
        var reply = new Reply(correlation, payload);
        if (!_replies.Writer.TryWrite(reply))
        {
            instruments.ReplyDropped();
            reply.Settled();
        }

        return reply.Sent;
    }

    /// <summary>Why a command is not done; null when it is well formed.</summary>
    private string? Objection(MqttApplicationMessage message) => message switch
    {
        { Retain: true } => "it is retained",
        _ when message.ResponseTopic != ReplyTopic => "its response topic is not the station's own reply",
        { CorrelationData: null or { Length: 0 or > CommandReply.CorrelationBytesMax } } => $"its correlation data is not 1 to {CommandReply.CorrelationBytesMax} bytes",
        { Payload.Length: > ArgumentBytesMax } => $"it has {message.Payload.Length} bytes",
        _ => null,
    };

    /// <param name="Name">The command; null for "there is a new document".</param>
    /// <param name="Payload">Its arguments.</param>
    /// <param name="Correlation">Its correlation data.</param>
    private sealed record Incoming(string? Name, byte[] Payload, byte[] Correlation)
    {
        public static Incoming Desired { get; } = new(null, [], []);
    }
}

/// <summary>
/// Some brokers break a connection rather than refuse a subscription or a publication. Readings must not stop for that: after three connections in a row that ended over the
/// subscriptions or the first report, none subscribes or reports for a while. One caller at a time.
/// </summary>
internal sealed class SubscriptionGuard
{
    /// <summary>Connections in a row that may end over it.</summary>
    public const int LossesMax = 3;

    /// <summary>How long no connection subscribes or reports after that.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(15);

    private int _losses;
    private long? _restsSince;

    /// <summary>True when a connection may subscribe and report.</summary>
    public bool MaySpeak(TimeProvider time)
    {
        if (_restsSince is { } since && time.GetElapsedTime(since) < Rest)
        {
            return false;
        }

        _restsSince = null;
        return true;
    }

    /// <summary>The broker answered.</summary>
    public void Answered() => (_losses, _restsSince) = (0, null);

    /// <summary>A connection ended over it; true when none speaks for a while.</summary>
    public bool Lost(TimeProvider time)
    {
        if (++_losses < LossesMax)
        {
            return false;
        }

        (_losses, _restsSince) = (0, time.GetTimestamp());
        return true;
    }
}
