using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Sensors.Air.Sps30;
using Hub.Edge.Sensors.Tests.Buses;

namespace Hub.Tests.Benchmarks.Agent;

/// <summary>An instrument that says a frame every so often at the other end of a pseudo-terminal, in real time, and answers what it is asked.</summary>
internal abstract class SerialInstrument : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Thread _listener;
    private readonly Task _speaking;

    protected SerialInstrument(TimeSpan interval)
    {
        _listener = new Thread(Listen) { IsBackground = true };
        _listener.Start();
        _speaking = interval == TimeSpan.Zero ? Task.CompletedTask : Task.Run(() => SpeakAsync(interval));
    }

    public string Path => Line.Path;

    protected Pty Line { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _speaking;
        _listener.Join();
        Line.Dispose();
        _stop.Dispose();
    }

    /// <summary>What it says of its own accord.</summary>
    protected virtual byte[] Frame() => [];

    /// <summary>The driver said something.</summary>
    protected virtual void OnHeard(byte heard)
    {
    }

    protected void Say(byte[] bytes)
    {
        lock (_gate)
        {
            Line.Say(bytes);
        }
    }

    private async Task SpeakAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Say(Frame());
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Listen()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (Line.TryHear(TimeSpan.FromMilliseconds(50)) is { } heard)
            {
                OnHeard(heard);
            }
            else
            {
                // Until somebody opens the port, asking returns at once.
                _stop.Token.WaitHandle.WaitOne(20);
            }
        }
    }
}

/// <summary>Once a second, as the part does.</summary>
internal sealed class Sds011() : SerialInstrument(TimeSpan.FromSeconds(1))
{
    private int _fine = 100;

    protected override byte[] Frame()
    {
        _fine = 100 + (_fine % 37);
        byte[] frame = [0xAA, 0xC0, (byte)_fine, 0, (byte)(_fine + 80), 0, 0xA1, 0x60, 0, 0xAB];
        frame[8] = (byte)frame[2..8].Sum(value => value);
        return frame;
    }
}

/// <summary>Every 0.8 s, as the part does when values change.</summary>
internal sealed class Pms5003() : SerialInstrument(TimeSpan.FromMilliseconds(800))
{
    private int _fine = 10;

    protected override byte[] Frame()
    {
        _fine = 10 + (_fine % 23);
        var bytes = new byte[32];
        (bytes[0], bytes[1], bytes[3]) = (0x42, 0x4D, 28);
        for (var word = 0; word < 12; word++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4 + (2 * word)), (ushort)(_fine + word));
        }

        bytes[28] = 0x97;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(30), (ushort)bytes[..^2].Sum(value => value));
        return bytes;
    }
}

/// <summary>A hundred distances a second; now and then something passes.</summary>
internal sealed class TfLuna() : SerialInstrument(TimeSpan.FromMilliseconds(10))
{
    private int _shots;

    protected override byte[] Frame()
    {
        var centimetres = _shots++ % 700 < 60 ? 220 : 600;
        byte[] frame = [0x59, 0x59, (byte)centimetres, (byte)(centimetres >> 8), 0xE8, 0x03, 0x90, 0x08, 0];
        frame[8] = (byte)frame[..8].Sum(value => value);
        return frame;
    }
}

/// <summary>Answers requests; a new measurement each time it is asked.</summary>
internal sealed class Sps30() : SerialInstrument(TimeSpan.Zero)
{
    private readonly List<byte> _heard = [];
    private float _fine = 5;

    protected override void OnHeard(byte heard)
    {
        _heard.Add(heard);
        while (_heard.IndexOf(0x7E) is >= 0 and var start && _heard.IndexOf(0x7E, start + 1) is > 0 and var end)
        {
            byte[] request = [.. _heard[start..(end + 1)]];
            _heard.RemoveRange(0, end + 1);
            if (request.Length > 4)
            {
                Say(Answer(request[2] == 0x7D ? (byte)0x11 : request[2]));
            }
        }
    }

    private byte[] Answer(byte command) => Sps30Frames.Answer(command, 0, command switch
    {
        0x03 => Measurement(),
        0x80 => [0, 9, 0x3A, 0x80],
        0xD0 => Encoding.ASCII.GetBytes("8A2D4F\0"),
        0xD1 => [2, 3, 0, 7, 0, 2, 0],
        0xD2 => [0, 0, 0, 0, 0],
        _ => [],
    });

    private byte[] Measurement()
    {
        _fine = 5 + (_fine * 1.7f % 9);
        var bytes = new byte[40];
        for (var value = 0; value < 10; value++)
        {
            BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(4 * value), _fine + value);
        }

        return bytes;
    }
}
