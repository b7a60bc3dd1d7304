using System.Device.Gpio;
using System.Globalization;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>
/// One or two loops or tubes on GPIO lines. A contact that stays covered, that chatters, or that alone of two sees vehicles is a fault, and time under a fault is not measured.
/// </summary>
internal sealed class LoopsDetector(Func<GpioController> open, IReadOnlyList<int> pins, ContactOptions options, TimeProvider time) : IVehicleDetector
{
    /// <summary>Changes that did not last, in one look, above which a contact chatters.</summary>
    public const int ChatterMax = 50;

    /// <summary>Vehicles in a row that one contact of two saw alone, from which the other is dead.</summary>
    public const int AloneMax = 10;

    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);

    private readonly Contact[] contacts = new Contact[pins.Count];
    private readonly DateTime?[] onSince = new DateTime?[pins.Count];
    private readonly bool[] onAtStart = new bool[pins.Count];
    private readonly LoopPassages loops = new(options, pins.Count);
    private readonly TubePassages tubes = new(options, pins.Count);
    private readonly List<PinEdge> edges = [];
    private readonly List<ContactChange> changes = [];
    private PinEdges? lines;
    private DateTime lastVehicle;
    private DateTime? coverTold;

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        GpioController controller = open();

        // A contact that closes to ground needs a pull-up; what drives the line itself needs none.
        PinMode mode = !options.ActiveHigh && controller.IsPinModeSupported(pins[0], PinMode.InputPullUp) ? PinMode.InputPullUp : PinMode.Input;
        lines = new PinEdges(controller, pins, mode, time);
        lastVehicle = time.GetUtcNow().UtcDateTime;
        for (int line = 0; line < contacts.Length; line++)
        {
            onAtStart[line] = lines.IsHigh(line) == options.ActiveHigh;
            contacts[line] = new Contact(line, onAtStart[line], options.Debounce);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask LookAsync(VehicleLook look, CancellationToken cancellationToken)
    {
        await Task.Delay(LookTime, time, cancellationToken).ConfigureAwait(false);
        long chatterBefore = contacts.Sum(static contact => contact.Chatter);
        changes.Clear();
        edges.Clear();
        long dropped = lines!.Take(edges);
        DateTime now = time.GetUtcNow().UtcDateTime;
        foreach (PinEdge edge in edges)
        {
            contacts[edge.Line].Seen(edge.High == options.ActiveHigh, edge.At, changes);
        }

        for (int line = 0; line < contacts.Length; line++)
        {
            // What an edge that was lost would have said.
            contacts[line].Seen(lines.IsHigh(line) == options.ActiveHigh, now, changes);
        }

        // Contacts become certain each in its own time; what follows wants one order.
        changes.Sort(static (a, b) => a.At.CompareTo(b.At));
        foreach (ContactChange change in changes)
        {
            Take(change, look);
        }

        loops.Advance(now);
        tubes.Advance(now, look.Passages);
        Cover(now, look);
        if (look.Passages.Count > 0)
        {
            lastVehicle = now;
        }

        Check(dropped, contacts.Sum(static contact => contact.Chatter) - chatterBefore, now);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lines?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Take(in ContactChange change, VehicleLook look)
    {
        if (options.Tubes)
        {
            if (change.On)
            {
                tubes.Hit(change.Line, change.At, look.Passages);
            }
        }
        else
        {
            if (change.Line == 0)
            {
                Cover(change.At, look);
                coverTold = change.On ? change.At : null;
            }

            loops.Take(change, look.Passages);
        }

        onSince[change.Line] = change.On ? change.At : null;
        onAtStart[change.Line] &= change.On;
    }

    /// <summary>Tells what the first loop was covered for so far: a jam does not wait for its last vehicle.</summary>
    private void Cover(DateTime until, VehicleLook look)
    {
        if (coverTold is { } from && from < until)
        {
            look.Covered.Add((from, until));
            coverTold = until;
        }
    }

    private void Check(long dropped, long chatter, DateTime now)
    {
        if (dropped > 0 || chatter > ChatterMax)
        {
            throw new NoSampleException("chatter", string.Create(CultureInfo.InvariantCulture, $"contacts on GPIO {Pins} chatter ({chatter + dropped} changes in a second that did not last): check cable, shield and detector"));
        }

        for (int line = 0; line < contacts.Length; line++)
        {
            if (onAtStart[line])
            {
                throw new NoSampleException("covered", string.Create(CultureInfo.InvariantCulture, $"the contact on GPIO {pins[line]} has been on since the start: a vehicle stands there, or the detector or activeHigh is wrong"));
            }

            if (onSince[line] is { } since && now - since > options.StuckOnAfter)
            {
                throw new NoSampleException("stuck on", string.Create(CultureInfo.InvariantCulture, $"the contact on GPIO {pins[line]} has been on since {since:HH:mm:ss} UTC"));
            }

            int alone = options.Tubes ? tubes.Alone[line] : loops.Alone[line];
            if (alone >= AloneMax)
            {
                throw new NoSampleException("one contact", string.Create(CultureInfo.InvariantCulture, $"only the contact on GPIO {pins[line]} sees vehicles, {alone} in a row: check the other one"));
            }
        }

        if (options.StuckOffAfter > TimeSpan.Zero && now - lastVehicle > options.StuckOffAfter)
        {
            throw new NoSampleException("stuck off", string.Create(CultureInfo.InvariantCulture, $"contacts on GPIO {Pins} have seen no vehicle for {now - lastVehicle:d\\.hh\\:mm\\:ss}"));
        }
    }

    private string Pins => string.Join(" and ", pins);
}
