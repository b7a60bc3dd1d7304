using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Series;

/// <summary>Another hub writes to the database; the message goes on after the server's address. It ends when that hub stops, or when its lease runs out.</summary>
internal sealed class InfluxInUseException(string message) : InfluxAwayException(message);

/// <summary>
/// Says on the server which hub writes to the database, so that a second one keeps away: two would overwrite each other's winners and acknowledge what the other has changed. The owner leaves a claim
/// that lasts a while and renews it; the next hub may come when it was let go, or has run out.
/// </summary>
/// <remarks>
/// InfluxDB cannot compare and set. What it has is one clock, which stamps a point without a time, and an order: a point is seen by every question that comes after its write was confirmed. So each hub
/// first writes that it asks and then reads what all others said last. Of several that ask the earliest stamp goes first; one that holds goes before all that ask. Whether a claim has run out is told by
/// the server's clock (from the stamp of the reader's own claim), whether one's own still holds by the machine's monotonic clock from before it was sent, which is the earlier of the two. The server's
/// clock may jump: before a claim that ran out but was not let go is passed over, its owner gets the time of one more renewal to show itself. Safe for concurrent use.
/// </remarks>
internal sealed class InfluxLease : IDisposable
{
    /// <summary>One series per hub: tag <c>owner</c>; fields <c>state</c>, <c>began</c>, <c>lasts</c> (microseconds) and <c>place</c>.</summary>
    public const string Measurement = "observation_lease";

    private const int LetGo = 0;
    private const int Held = 1;
    private const int Asked = 2;

    /// <summary>Claims older than this are removed; a hub that has not renewed for so long does not run.</summary>
    private const long KeptMicros = EventTime.MicrosPerDay;

    private readonly InfluxClient _client;
    private readonly TimeProvider _time;
    private readonly bool _canDelete;
    private readonly string _owner;
    private readonly string _place;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _began;
    private long _tidied;
    /// <summary>When this hub held it last, as far as is known; 0 for never. Null before the server was asked.</summary>
    private long? _lastOwn;
    private long _until = long.MinValue;

    /// <summary>A claim of this hub may be on the server that was not let go.</summary>
    private bool _isClaimed;

    /// <param name="client">The server.</param>
    /// <param name="options">Settings.</param>
    /// <param name="owner">Name of this hub, the same after a restart in the same place: small letters and digits.</param>
    /// <param name="place">Where it runs, for people.</param>
    /// <param name="time">The monotonic clock is used, never the time of day.</param>
    public InfluxLease(InfluxClient client, InfluxOptions options, string owner, string place, TimeProvider time)
    {
        (_client, _owner, _place, _time) = (client, owner, place, time);
        _canDelete = options.Api == InfluxApi.V1;

        // A write may be under way for RequestTimeout, and a renewal takes its time as well.
        Lasts = options.LeaseTime > 3 * options.RequestTimeout ? options.LeaseTime : 3 * options.RequestTimeout;
    }

    /// <summary>How long a claim lasts.</summary>
    public TimeSpan Lasts { get; }

    /// <summary>Time between two renewals.</summary>
    public TimeSpan RenewEvery => Lasts / 3;

    /// <summary>True while no other hub can have taken over for that long.</summary>
    public bool IsHeldFor(TimeSpan span) => Interlocked.Read(ref _until) is var until && until != long.MinValue && _time.GetTimestamp() + Ticks(span) < until;

    /// <summary>Takes the lease, which was not held or has run out.</summary>
    /// <returns>True when another hub has held it, or may have, since this one did last: what is known of the database may no longer be so.</returns>
    /// <exception cref="InfluxInUseException">Another hub holds it, or asked first.</exception>
    /// <exception cref="InfluxAwayException">The server cannot be asked now.</exception>
    /// <exception cref="InfluxQueryException">The server does not answer the question.</exception>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The process before it is believed once. Later a claim of its own may be one of an attempt that failed, and says nothing about who wrote before it.
            _lastOwn ??= (await ReadAsync(cancellationToken).ConfigureAwait(false)).Find(claim => claim.Owner == _owner && claim.Began > 0)?.Time ?? 0;
            _isClaimed = true;
            await ClaimAsync(Asked, 0, cancellationToken).ConfigureAwait(false);
            try
            {
                var (own, others) = await ReadOthersAsync(cancellationToken).ConfigureAwait(false);
                var asked = own.Time;
                GiveWay(others, own, asked);
                if (others.Find(claim => claim.State == Held) is { } silent)
                {
                    // It ran out and was not let go: its hub was killed, or the server's clock has jumped and it lives.
                    await Task.Delay(RenewEvery, _time, cancellationToken).ConfigureAwait(false);
                    (own, others) = await ReadOthersAsync(cancellationToken).ConfigureAwait(false);
                    if (others.Find(claim => claim.Owner == silent.Owner) is { State: Held } again && again.Time != silent.Time)
                    {
                        throw InUse(again, own.Time);
                    }

                    GiveWay(others, own, asked);
                }

                var sent = _time.GetTimestamp();
                await ClaimAsync(Held, asked, cancellationToken).ConfigureAwait(false);
                (own, others) = await ReadOthersAsync(cancellationToken).ConfigureAwait(false);
                GiveWay(others, own, asked, alsoHeldLater: false);
                
                // Who has not held it before, as far as can be seen, is new, or a copy, or was refused meanwhile: it cannot know who wrote.
                var wroteSince = _lastOwn == 0 || others.Exists(claim => claim.Began > 0 && claim.Time > _lastOwn);
                (_began, _lastOwn) = (asked, own.Time);
                Interlocked.Exchange(ref _until, sent + Ticks(Lasts));
                return wroteSince;
            }
            catch (InfluxInUseException)
            {
                await ClaimAsync(LetGo, 0, cancellationToken).ConfigureAwait(false);
                _isClaimed = false;
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Renews the lease while it is held; does nothing when it is not. What fails for want of the server is no loss yet: the claim lasts a while.</summary>
    /// <exception cref="InfluxInUseException">Another hub has it: it is lost.</exception>
    /// <exception cref="InfluxAwayException">The server cannot be asked now.</exception>
    /// <exception cref="InfluxQueryException">The server does not answer the question.</exception>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // What has run out is not renewed: another hub may have taken over and gone by now, so it is taken again from the beginning.
            if (!IsHeldFor(TimeSpan.Zero))
            {
                return;
            }

            var sent = _time.GetTimestamp();
            await ClaimAsync(Held, _began, cancellationToken).ConfigureAwait(false);
            var (own, others) = await ReadOthersAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                GiveWay(others, own, _began, alsoHeldLater: false);
            }
            catch (InfluxInUseException)
            {
                Interlocked.Exchange(ref _until, long.MinValue);
                await ClaimAsync(LetGo, 0, cancellationToken).ConfigureAwait(false);
                _isClaimed = false;
                throw;
            }

            _lastOwn = own.Time;
            Interlocked.Exchange(ref _until, sent + Ticks(Lasts));
            await TidyAsync(own.Time, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Lets go, so that the next hub need not wait; also of a claim that was broken off before it was decided. Nothing is written from here on.</summary>
    /// <exception cref="InfluxAwayException">The server cannot be told: the claim runs out.</exception>
    public async Task LetGoAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var wasHeld = Interlocked.Exchange(ref _until, long.MinValue) != long.MinValue;
            if (_isClaimed)
            {
                await ClaimAsync(LetGo, wasHeld ? _began : 0, cancellationToken).ConfigureAwait(false);
                _isClaimed = false;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <exception cref="InfluxInUseException">Somebody goes before.</exception>
    private void GiveWay(List<Claim> others, Claim own, long began, bool alsoHeldLater = true)
    {
        foreach (var other in others.Where(claim => claim.State != LetGo && claim.Time > own.Time - claim.Lasts))
        {
            var theirs = other.Began > 0 ? other.Began : other.Time;
            if (theirs < began || (theirs == began && string.CompareOrdinal(other.Owner, _owner) < 0) || (alsoHeldLater && other.State == Held))
            {
                throw InUse(other, own.Time);
            }
        }
    }

    private static InfluxInUseException InUse(Claim other, long now) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"is used by another hub, {other.Place}, which {(other.State == Held ? "said so" : "asked first")} {Math.Max(0, (now - other.Time) / 1_000_000)} s ago. One hub writes to a database: stop that one, or give this one another {InfluxOptions.Section}:Database. If it was killed or cut off, its claim ends {TimeSpan.FromMicroseconds(other.Lasts).TotalSeconds:0} s after that by the server's clock (measurement {Measurement})."));

    private async Task ClaimAsync(int state, long began, CancellationToken cancellationToken)
    {
        // Without a time: the server stamps it.
        var line = string.Create(
            CultureInfo.InvariantCulture, $"{Measurement},owner={_owner} state={state}i,began={began}i,lasts={(long)Lasts.TotalMicroseconds}i,place=\"{Quoted(_place)}\"\n");
        if (await _client.WriteAsync(Encoding.UTF8.GetBytes(line), cancellationToken).ConfigureAwait(false) is { Verdict: not WriteVerdict.Taken, Reason: var reason })
        {
            throw new InfluxAwayException($"does not take the hub's lease ({reason ?? "no reason given"}): see that no other program writes the measurement {Measurement}, and that its clock is right.");
        }
    }

    private async Task<(Claim Own, List<Claim> Others)> ReadOthersAsync(CancellationToken cancellationToken)
    {
        var claims = await ReadAsync(cancellationToken).ConfigureAwait(false);
        var own = claims.Find(claim => claim.Owner == _owner)
            ?? throw new InfluxAwayException($"does not give back the lease that the hub has just written: see that the database of questions is the one that is written to, and that the user may read it.");
        claims.Remove(own);
        return (own, claims);
    }

    /// <summary>What each hub said last.</summary>
    private async Task<List<Claim>> ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await _client.AskTableAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT last(\"state\") AS \"state\",\"began\",\"lasts\",\"place\" FROM {Measurement} WHERE time >= {InfluxLines.MinMicros}u AND time <= {InfluxLines.MaxMicros}u GROUP BY \"owner\""),
            cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => new Claim(Text(row, "owner"), Number(row, "time"), (int)Number(row, "state"), Number(row, "began"), Number(row, "lasts"), Text(row, "place")));

        static long Number(Dictionary<string, JsonElement> row, string name) => row.TryGetValue(name, out var cell) && cell.ValueKind == JsonValueKind.Number && cell.TryGetInt64(out var number) ? number : 0;
        static string Text(Dictionary<string, JsonElement> row, string name) => row.TryGetValue(name, out var cell) && cell.ValueKind == JsonValueKind.String ? cell.GetString()! : "";
    }

    /// <summary>Claims of long ago go, once a day. Deletion by InfluxQL is 1.x only; elsewhere they take what one slow sensor takes.</summary>
    private async Task TidyAsync(long now, CancellationToken cancellationToken)
    {
        if (!_canDelete || (_tidied != 0 && now - _tidied < KeptMicros))
        {
            return;
        }

        try
        {
            await _client.AskTableAsync(string.Create(CultureInfo.InvariantCulture, $"DELETE FROM {Measurement} WHERE time < {now - KeptMicros}u"), cancellationToken).ConfigureAwait(false);
            _tidied = now;
        }
        catch (Exception e) when (e is InfluxQueryException or InfluxAwayException)
        {
            // A user who may not delete leaves them there; they do no harm.
            _tidied = now;
        }
    }

    private static string Quoted(string text) => string.Concat(text.Select(c => c is '"' or '\\' || char.IsControl(c) ? '/' : c));

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    /// <summary>What a hub said last, at which time of the server; microseconds.</summary>
    private sealed record Claim(string Owner, long Time, int State, long Began, long Lasts, string Place);
}
