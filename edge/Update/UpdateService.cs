using System.Threading.Channels;
using Hub.Edge.Contract.Twin;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Update;

/// <summary>Does what <see cref="UpdateDecisions"/> decides: one worker for fetching and installing, one watch over a trial.</summary>
internal sealed class UpdateService : BackgroundService, IUpdate
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly UpdateOptions _options;
    private readonly RunningAgent _running;
    private readonly SlotFolders _folders;
    private readonly BootClock _boot;
    private readonly BundleDownload _download;
    private readonly StationHealth _health;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly UpdateInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();

    /// <summary>There is work: the newest wish is what counts, however many there were.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Under _gate.
    private UpdateNotes _notes = UpdateNotes.None;
    private TrialFile? _trial;
    private Job? _job;
    private long? _bytes;
    private long _told;
    private bool _opened;
    private int? _exitCode;

    public UpdateService(
        UpdateOptions options, RunningAgent running, SlotFolders folders, BootClock boot, BundleDownload download, StationHealth health, IHostApplicationLifetime lifetime,
        UpdateInstruments instruments, TimeProvider time, ILogger logger)
    {
        (_options, _running, _folders, _boot, _download, _health, _lifetime, _instruments, _time, _logger) = (options, running, folders, boot, download, health, lifetime, instruments, time, logger);
    }

    public event Action? Changed;

    public string Version => _running.Version;

    public string Runtime => _running.Runtime;

    public ReportedUpdate? State
    {
        get
        {
            lock (_gate)
            {
                return _notes.Last?.ToReported(_bytes);
            }
        }
    }

    public int? ExitCode
    {
        get
        {
            lock (_gate)
            {
                return _exitCode;
            }
        }
    }

    public void HubReached() => _reached.TrySetResult();

    public ValueTask WantAsync(AgentTarget? target, TimeSpan trial, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Open();
        var before = State;
        lock (_gate)
        {
            if (_exitCode is not null || (_job is { } same && target is not null && same.IsFor(target, _running.Runtime)))
            {
                return ValueTask.CompletedTask;
            }

            _job?.Stop.Cancel();
            _job = null;
            _bytes = null;
            if (target is null)
            {
                if (_notes.Last is { Step: UpdateStep.Downloading or UpdateStep.Ready })
                {
                    Remember(_notes with { Last = null });
                }
            }
            else
            {
                Decide(target, trial);
            }
        }

        _wake.Writer.TryWrite(true);
        if (State != before)
        {
            Changed?.Invoke();
        }

        return ValueTask.CompletedTask;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Open();
        if (State is not null)
        {
            Changed?.Invoke();
        }

        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _download.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            var watch = WatchSafelyAsync(stoppingToken);
            while (await _wake.Reader.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
            {
                _wake.Reader.TryRead(out _);
                Job? job;
                lock (_gate)
                {
                    job = _job;
                }

                if (job is not null)
                {
                    await WorkAsync(job, stoppingToken).ConfigureAwait(false);
                }
            }

            await watch.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Looks once what became of the last update.</summary>
    private void Open()
    {
        lock (_gate)
        {
            if (_opened)
            {
                return;
            }

            _opened = true;
            if (_running.Slot is null)
            {
                _settled.TrySetResult();
                return;
            }

            var now = Now();
            try
            {
                var (act, trial, notes, damaged) = Installation.Start(_folders, _running, now);
                if (damaged)
                {
                    _logger.NotesDamaged(_folders.Root);
                    _instruments.Faulted("notes");
                }

                (_notes, _trial) = (notes, act == StartAct.Trial ? trial : null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The card cannot be written: the trial, if there is one, still holds.
                DiskFailed("starting", e);
                _trial = _folders.ReadTrial() is { } read && read.To == _running.Slot ? read : null;
                _notes = _folders.ReadNotes().Notes;
            }

            if (_trial is { } trying)
            {
                _logger.OnTrial(trying.Version, trying.Starts, Deadline(trying) - _boot.Uptime());
            }
            else
            {
                _settled.TrySetResult();
                if (_notes.Last is { Step: UpdateStep.RolledBack, Problem: { } reason } last && last.At == now)
                {
                    // Found at this start, not at one before.
                    _instruments.Reached(UpdateStep.RolledBack);
                    _logger.RolledBack(last.Version, reason, _running.Version);
                }
            }
        }
    }

    private void Decide(AgentTarget target, TimeSpan trial)
    {
        var (verdict, bundle, problem) = _options.IsOn
            ? UpdateDecisions.Judge(target, _running, _notes)
            : (WishVerdict.Refused, null, "Updates are switched off in the station file (update.enabled, update.keyFiles).");
        var sha256 = bundle?.Sha256 ?? "";
        var last = _notes.Last is { } known && known.Version == target.Version && known.Sha256 == sha256 ? known : null;
        switch (verdict)
        {
            case WishVerdict.Install:
                _job = new Job(target, bundle!, trial);
                Reach(last is { Step: UpdateStep.Downloading } ? last : new UpdateRecord(target.Version, sha256, UpdateStep.Downloading, Now()));
                _logger.Wanted(target.Version, bundle!.Bytes, new Uri(bundle.Address).IdnHost, _running.Version);
                break;
            case WishVerdict.Runs when _trial is null && !(_notes.Last is { Step: UpdateStep.Installed } installed && installed.Version == target.Version):
                Reach(new UpdateRecord(target.Version, sha256, UpdateStep.Installed, Now()));
                break;
            case WishVerdict.Refused when last is not { Step: UpdateStep.Refused or UpdateStep.RolledBack } || (last.Step == UpdateStep.Refused && last.Problem != problem):
                Reach(new UpdateRecord(target.Version, sha256, UpdateStep.Refused, Now(), problem));
                _logger.Refused(target.Version, problem!, _running.Version);
                break;
        }
    }

    private async Task WorkAsync(Job job, CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(job.Stop.Token, stoppingToken);
        var (attempt, wrong) = (0, 0);
        try
        {
            while (true)
            {
                DownloadOutcome outcome;
                try
                {
                    _folders.CleanDownload(keep: job.Bundle.Sha256);
                    outcome = await _download.FetchAsync(job.Bundle, _folders.Download, (there, came) => Progress(job, there, came), either.Token).ConfigureAwait(false);
                    _instruments.Attempted(outcome.End);
                    if (outcome.End == DownloadEnd.Complete)
                    {
                        // The other slot is the way back of the agent on trial: not touched before that is over.
                        await _settled.Task.WaitAsync(either.Token).ConfigureAwait(false);
                        await InstallAsync(job, either.Token).ConfigureAwait(false);
                        return;
                    }
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    DiskFailed("fetching or installing", e);
                    outcome = new DownloadOutcome(DownloadEnd.Later, $"The disk refused: {e.Message.ReplaceLineEndings(" ")}");
                }

                if (outcome.End == DownloadEnd.Wrong && ++wrong == UpdateDecisions.WrongMax)
                {
                    Refuse(job, outcome.Problem!);
                    return;
                }

                attempt = outcome.Progressed ? 0 : attempt + 1;
                var pause = UpdateDecisions.Pause(Math.Max(0, attempt - 1), Random.Shared.NextDouble(), _options.RetryDelayMin, _options.RetryDelayMax, outcome.RetryAfter);
                Say(job, outcome.Problem!, pause);
                await Task.Delay(pause, _time, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // Another wish, or the end: what has come is kept.
        }
#pragma warning disable CA1031 // A fault in updating is no reason to stop measuring; the next wish or start tries again.
        catch (Exception e)
        {
            _instruments.Faulted("update");
            _logger.Fault(job.Target.Version, e);
            lock (_gate)
            {
                if (_job == job)
                {
                    _job = null;
                }
            }
        }
#pragma warning restore CA1031
    }

    private async Task InstallAsync(Job job, CancellationToken cancellationToken)
    {
        var slot = SlotFolders.Other(_running.Slot!);
        var expected = new BundleExpectation(job.Target.Version, _running.Runtime);
        var problem = await Task.Run(
            () => Installation.Install(
                _folders, BundleDownload.PathOf(_folders.Download, job.Bundle), () => BeginTrial(job), expected, slot, UpdateExtensions.FreeBytes,
                (manifest, signature) => TrustedKeys.Verify(_options.KeyFiles, manifest, signature), () => Step(job, UpdateStep.Ready), cancellationToken),
            cancellationToken).ConfigureAwait(false);
        if (problem is not null)
        {
            Refuse(job, problem);
            return;
        }

        lock (_gate)
        {
            _exitCode = 0;
        }

        _logger.Switched(job.Target.Version, slot);
        _lifetime.StopApplication();
    }

    private TrialFile BeginTrial(Job job)
    {
        var seconds = Math.Clamp((long)Math.Ceiling(job.Trial.TotalSeconds), 1, (long)DesiredState.TrialMax.TotalSeconds);

        // A sensor that speaks once an hour says nothing about a trial of five minutes: two of its values must have their place in it.
        return new TrialFile(
            _running.Slot!, SlotFolders.Other(_running.Slot!), job.Target.Version, job.Bundle.Sha256, seconds, _boot.Id, (long)Math.Ceiling(_boot.Uptime()) + seconds, 0,
            [.. _health.AliveSensors(TimeSpan.FromSeconds(seconds) / 2).Order(StringComparer.Ordinal).Take(TrialFile.AliveMax)]);
    }

    private async Task WatchSafelyAsync(CancellationToken stoppingToken)
    {
        try
        {
            await WatchAsync(stoppingToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // An agent that cannot judge its own trial does not confirm it: the launcher takes it back.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _instruments.Faulted("trial");
            _logger.Fault(_running.Version, e);
        }
#pragma warning restore CA1031
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        if (_trial is not { } trial)
        {
            return;
        }

        // Where the launcher could not go back, there is nothing to gain from stopping again.
        var isBound = trial.Reason is null;
        if (!isBound)
        {
            _logger.NoWayBack(trial.Version, trial.Reason!);
        }

        var until = Deadline(trial);
        while (true)
        {
            var isOver = isBound && _boot.Uptime() >= until;
            var (verdict, reason) = UpdateDecisions.JudgeTrial(_reached.Task.IsCompleted, trial.Alive, _health.AliveSensors(TimeSpan.MaxValue), isOver, TimeSpan.FromSeconds(trial.Seconds));
            if (verdict == TrialVerdict.Passed && TryConfirm(trial))
            {
                return;
            }

            if (verdict == TrialVerdict.Failed)
            {
                Fail(trial, reason!);
                return;
            }

            var delay = Task.Delay(LookInterval, _time, stoppingToken);
            await (_reached.Task.IsCompleted ? delay : Task.WhenAny(delay, _reached.Task)).ConfigureAwait(false);
            stoppingToken.ThrowIfCancellationRequested();
        }
    }

    private double Deadline(TrialFile trial) => trial.Boot == _boot.Id ? trial.Until : _boot.Uptime() + trial.Seconds;

    private bool TryConfirm(TrialFile trial)
    {
        try
        {
            _folders.Confirm();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            DiskFailed("confirming", e);
            return false;
        }

        _logger.Passed(trial.Version);
        lock (_gate)
        {
            _trial = null;

            // Unless another version is wanted meanwhile: then that is what is told of.
            if (_job is null)
            {
                Reach(new UpdateRecord(trial.Version, trial.Sha256, UpdateStep.Installed, Now()));
                Try("cleaning", () => _folders.CleanDownload(keep: null));
            }
        }

        _settled.TrySetResult();
        Changed?.Invoke();
        return true;
    }

    private void Fail(TrialFile trial, string reason)
    {
        Try("giving up", () => _folders.GiveUp(trial, reason));
        _logger.Failed(trial.Version, reason);
        lock (_gate)
        {
            _exitCode = UpdateExit.TrialFailed;
        }

        _lifetime.StopApplication();
    }

    private void Refuse(Job job, string problem)
    {
        lock (_gate)
        {
            if (_job != job)
            {
                return;
            }

            _job = null;
            _bytes = null;
            _instruments.Reached(UpdateStep.Refused);
            Remember(_notes.Refuse(job.Target.Version, job.Bundle.Sha256, problem) with { Last = new UpdateRecord(job.Target.Version, job.Bundle.Sha256, UpdateStep.Refused, Now(), problem) });
            Try("cleaning", () => _folders.CleanDownload(keep: null));
        }

        _logger.Refused(job.Target.Version, problem, _running.Version);
        Changed?.Invoke();
    }

    private void Step(Job job, UpdateStep step)
    {
        lock (_gate)
        {
            Reach(new UpdateRecord(job.Target.Version, job.Bundle.Sha256, step, Now()));
        }

        Changed?.Invoke();
    }

    /// <summary>A problem is told and not written down: it is another one after the next attempt.</summary>
    private void Say(Job job, string problem, TimeSpan pause)
    {
        _logger.WillRetry(job.Target.Version, problem, pause.TotalSeconds);
        var isNew = false;
        lock (_gate)
        {
            if (_job == job && _notes.Last is { } last)
            {
                isNew = last.Problem != problem;
                _notes = _notes with { Last = last with { Step = UpdateStep.Downloading, Problem = problem } };
            }
        }

        if (isNew)
        {
            Changed?.Invoke();
        }
    }

    private void Progress(Job job, long bytes, int came)
    {
        _instruments.Received(came);
        lock (_gate)
        {
            if (_job != job)
            {
                return;
            }

            var isFirst = _bytes is null;
            _bytes = bytes;
            if (_notes.Last is { Problem: not null } last)
            {
                _notes = _notes with { Last = last with { Problem = null } };
            }

            if (!isFirst && _time.GetElapsedTime(_told) < ProgressInterval)
            {
                return;
            }

            _told = _time.GetTimestamp();
        }

        Changed?.Invoke();
    }

    private void Reach(UpdateRecord record)
    {
        if (record != _notes.Last)
        {
            _instruments.Reached(record.Step);
        }

        Remember(_notes with { Last = record });
    }

    /// <summary>Remembered in memory in any case: a card that cannot be written must not hide from the hub what happened.</summary>
    private void Remember(UpdateNotes notes)
    {
        if (notes == _notes)
        {
            return;
        }

        _notes = notes;
        if (_running.Slot is not null)
        {
            Try("remembering", () => _folders.WriteNotes(notes));
        }
    }

    private void Try(string what, Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            DiskFailed(what, e);
        }
    }

    private void DiskFailed(string what, Exception exception)
    {
        _instruments.Faulted(what);
        _logger.DiskFailed(what, _folders.Root, exception);
    }

    private DateTime Now() => _time.GetUtcNow().UtcDateTime;

    /// <summary>A wish that is being carried out.</summary>
    private sealed record Job(AgentTarget Target, AgentBundle Bundle, TimeSpan Trial)
    {
        // Not disposed: it has no timer, and a wish may cancel it at any time.
        public CancellationTokenSource Stop { get; } = new();

        public bool IsFor(AgentTarget target, string runtime) =>
            target.Version == Target.Version && target.Force == Target.Force && target.Bundles.FirstOrDefault(bundle => bundle.Runtime == runtime) == Bundle;
    }
}
