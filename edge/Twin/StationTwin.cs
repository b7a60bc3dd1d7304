using System.Text.Json;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Outbox;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Twin;

/// <summary>The station's twin; see <see cref="ITwin"/>. What is decided is written down first and done then.</summary>
public sealed class StationTwin : ITwin, ITwinLink, IDisposable
{
    /// <summary>Pause before what the disk refused is written again.</summary>
    private static readonly TimeSpan SavePause = TimeSpan.FromMinutes(1);

    private readonly TwinStore _store;
    private readonly ITwinSettings _settings;
    private readonly IReportedAgent _agent;
    private readonly IStationTime _machine;
    private readonly TimeProvider _time;
    private readonly TwinInstruments _instruments = new();
    private readonly Lock _gate = new();

    // Held while settings are judged and put in force: one document, deadline or failure at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<Action> _changed = [];
    private readonly List<Action> _reached = [];
    private readonly int _damaged;
    private ILogger _logger;
    private bool _isTold;
    private TwinState _state = TwinState.Empty;
    private bool _unsaved;
    private long _number = 1;
    private ReportedDocument _reported;
    private TaskCompletionSource _reportedChanged = NewSignal();
    private TaskCompletionSource _stateChanged = NewSignal();

    // Number of the first report made with the settings in force really so; null while they are not yet.
    private long? _inForceSince;

    private StationTwin(string folder, ITwinSettings settings, IReportedAgent agent, IStationTime machine, TimeProvider time)
    {
        (_settings, _agent, _machine, _time, _logger) = (settings, agent, machine, time, NullLogger.Instance);
        _store = new TwinStore(folder);
        _state = _store.Load(out var damaged) ?? TwinState.Empty;
        if (damaged)
        {
            _damaged = 1;
            _instruments.Damaged();
        }

        var started = TwinMachine.Started(_state, Now);
        if (!ReferenceEquals(started, _state))
        {
            Advance(started);
        }

        _reported = Report();
        agent.OnChange(() => Say(changed: false));
    }

    /// <summary>
    /// Reads what was kept in a folder and counts this start of the agent. One at a time for each folder; the caller sees to that.
    /// </summary>
    /// <param name="folder">The folder; made when missing.</param>
    /// <param name="settings">What the agent does with settings.</param>
    /// <param name="agent">Which agent runs.</param>
    /// <param name="machine">The machine's boot id and the time since.</param>
    /// <param name="time">Timers and the clock for people.</param>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static StationTwin Open(string folder, ITwinSettings settings, IReportedAgent agent, IStationTime machine, TimeProvider time) =>
        new(folder, settings, agent, machine, time);

    /// <inheritdoc/>
    public TwinStanding Standing => State is var state ? new TwinStanding(state.Acted, state.Outcome, state.InForce?.Version ?? 0, state.At, state.Problems, _damaged) : null!;

    /// <inheritdoc/>
    public DesiredState? InForce => Parse(State.InForce);

    /// <inheritdoc/>
    public DesiredState? Settled => State is { Trial: null } state ? Parse(state.Good) : null;

    /// <inheritdoc/>
    public ReportedDocument Reported
    {
        get
        {
            lock (_gate)
            {
                return _reported;
            }
        }
    }

    private TwinState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    private TwinInstant Now => new(_time.GetUtcNow().UtcDateTime, _machine.BootId, _machine.SinceBoot);

    /// <summary>Logs here from now on: the stages, and their log, are built anew now and then.</summary>
    public void LogTo(ILogger logger)
    {
        _logger = logger;
        if (_isTold)
        {
            return;
        }

        _isTold = true;
        if (_damaged > 0)
        {
            logger.Damaged();
        }

        if (State is { Outcome: TwinOutcome.RolledBack or TwinOutcome.Trial } state)
        {
            logger.Found(state.Acted, state.Outcome.ToString(), state.InForce?.Version ?? 0, string.Join(" ", state.Problems));
        }
    }

    /// <inheritdoc/>
    public void OnChange(Action changed)
    {
        lock (_gate)
        {
            _changed.Add(changed);
        }
    }

    /// <inheritdoc/>
    public void OnReached(Action reached)
    {
        lock (_gate)
        {
            _reached.Add(reached);
        }
    }

    /// <inheritdoc/>
    public Task ReportedChangedAsync(long number)
    {
        lock (_gate)
        {
            return _reported.Number == number ? _reportedChanged.Task : Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public void ReportedAcknowledged(long number)
    {
        Action[] listeners;
        lock (_gate)
        {
            listeners = [.. _reached];
        }

        foreach (var listener in listeners)
        {
            listener();
        }

        lock (_gate)
        {
            if (_inForceSince is not { } since || number < since || _state.Trial is null)
            {
                return;
            }

            var reached = TwinMachine.Reached(_state, Now);
            _logger.Applied(_state.Trial.Document.Version);
            _instruments.Outcome(TwinOutcome.Applied);
            Advance(reached);
        }

        Say(changed: true);
    }

    /// <inheritdoc/>
    public void InForceNow()
    {
        lock (_gate)
        {
            _inForceSince = _number + 1;
        }

        Say(changed: true);
    }

    /// <inheritdoc/>
    public void CannotRun(IReadOnlyList<string> problems)
    {
        lock (_gate)
        {
            var next = TwinMachine.CannotRun(_state, problems, Now);
            if (ReferenceEquals(next, _state))
            {
                return;
            }

            WentBack(next);
        }

        Say(changed: true);
    }

    /// <inheritdoc/>
    public async Task DesiredAsync(ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!Decide(document.Span))
            {
                return;
            }

            await PutInForceAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                Task changed;
                TimeSpan? rest;
                lock (_gate)
                {
                    if (_unsaved)
                    {
                        Advance(_state);
                    }

                    changed = _stateChanged.Task;
                    rest = _state.Trial is { } trial ? trial.EndsSinceBoot - _machine.SinceBoot : null;
                    if (_unsaved && (rest is null || rest > SavePause))
                    {
                        rest = SavePause;
                    }
                }

                if (rest is { } wait)
                {
                    // Timers may be early by a hair, and stand still while the machine sleeps.
                    using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    await Task.WhenAny(changed, Task.Delay(wait > TimeSpan.FromMilliseconds(10) ? wait : TimeSpan.FromMilliseconds(10), _time, awake.Token)).ConfigureAwait(false);
                    await awake.CancelAsync().ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                    await DeadlineAsync(cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Dispose();
        _instruments.Dispose();
    }

    /// <summary>Judges a document; true when it is to be put in force.</summary>
    private bool Decide(ReadOnlySpan<byte> utf8)
    {
        var before = State;
        var good = DesiredState.TryRead(utf8, out var desired, out var problem);
        var version = good ? desired!.Version : VersionOf(utf8);
        if (version > 0 && TwinMachine.IsActedOn(before, version))
        {
            return false;
        }

        TwinState next;
        if (!good)
        {
            next = TwinMachine.Refused(before, version, [problem!], Now);
        }
        else
        {
            // The whole is checked before anything of it is done.
            next = TwinMachine.Desired(before, TwinDocument.Of(version, utf8), desired!.TrialTime, _settings.Check(desired.Settings), Now);
        }

        if (ReferenceEquals(next, before))
        {
            return false;
        }

        lock (_gate)
        {
            // A report may have been acknowledged meanwhile: what it settled holds.
            if (before.Trial is not null && _state.Trial is null)
            {
                next = next with { Good = _state.Good };
            }

            if (!TrySave(next))
            {
                // What is not written down is not done: it comes again at the next connection.
                return false;
            }

            var takes = next.Trial is { } trial && trial.Document.Version == version && next.Outcome == TwinOutcome.Trial;
            if (takes)
            {
                _inForceSince = null;
                _logger.Trying(version, next.Trial!.Length);
            }
            else
            {
                _logger.Refused(version, next.Outcome.ToString(), string.Join(" ", next.Problems));
            }

            _instruments.Outcome(next.Outcome);
            Become(next);
            if (takes)
            {
                return true;
            }
        }

        Say(changed: true);
        return false;
    }

    private async Task DeadlineAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                var next = TwinMachine.Passed(_state, Now);
                if (ReferenceEquals(next, _state))
                {
                    return;
                }

                WentBack(next);
            }

            await PutInForceAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Has the agent put in force what is to be in force; what is on trial and cannot be is taken back.</summary>
    private async Task PutInForceAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (document, onTrial) = State is var state ? (state.InForce, state.Trial is not null) : default;
            try
            {
                if (await _settings.ApplyAsync(Parse(document)?.Settings, document?.Version ?? 0, cancellationToken).ConfigureAwait(false))
                {
                    InForceNow();
                    return;
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
#pragma warning disable CA1031 // Whatever it is: the settings before are the ones that worked.
            catch (Exception e)
            {
                _logger.CannotApply(document?.Version ?? 0, e);
                if (onTrial)
                {
                    CannotRun([$"They could not be put in force: {e.Message.ReplaceLineEndings(" ")}"]);
                    continue;
                }
            }
#pragma warning restore CA1031

            Say(changed: true);
            return;
        }
    }

    /// <summary>Called with _gate held.</summary>
    private void WentBack(TwinState next)
    {
        _inForceSince = null;
        _logger.RolledBack(next.Acted, next.InForce?.Version ?? 0, string.Join(" ", next.Problems));
        _instruments.Outcome(TwinOutcome.RolledBack);
        Advance(next);
    }

    /// <summary>Takes a state that holds whether the disk takes it or not; it is written again later. Called with _gate held, or by the constructor.</summary>
    private void Advance(TwinState next)
    {
        _unsaved = !TrySave(next);
        Become(next);
    }

    private void Become(TwinState next)
    {
        _state = next;
        var changed = _stateChanged;
        _stateChanged = NewSignal();
        changed.TrySetResult();
    }

    private bool TrySave(TwinState next)
    {
        try
        {
            _store.Save(next);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.NotKept(e);
            return false;
        }
    }

    /// <summary>Makes the report anew and tells who waits for it.</summary>
    private void Say(bool changed)
    {
        TaskCompletionSource signal;
        Action[] listeners;
        lock (_gate)
        {
            _number++;
            _reported = Report();
            signal = _reportedChanged;
            _reportedChanged = NewSignal();
            listeners = changed ? [.. _changed] : [];
        }

        signal.TrySetResult();
        foreach (var listener in listeners)
        {
            listener();
        }
    }

    private ReportedDocument Report() => new(
        _number,
        new ReportedState(_state.Acted, _state.Outcome, _state.InForce?.Version ?? 0, _state.At, _state.Problems.Count == 0 ? null : _state.Problems, _agent.Agent).ToUtf8());

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static DesiredState? Parse(TwinDocument? document) => document is not null && DesiredState.TryRead(document.Utf8, out var state, out _) ? state : null;

    /// <summary>The version that a document which is wrong in some other way gives; 0 when it gives none.</summary>
    private static long VersionOf(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!JsonDocument.TryParseValue(ref reader, out var document))
            {
                return 0;
            }

            using (document)
            {
                return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("version", out var version)
                    && version.ValueKind == JsonValueKind.Number && version.TryGetInt64(out var number) && number > 0 ? number : 0;
            }
        }
        catch (JsonException)
        {
            return 0;
        }
    }
}
