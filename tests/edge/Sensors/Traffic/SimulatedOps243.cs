using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Hub.Edge.Sensors.Tests.Buses;

namespace Hub.Edge.Sensors.Tests.Traffic;

/// <summary>What a simulated radar does.</summary>
internal enum RadarMode
{
    Answering,
    Silent,
    Garbage,

    /// <summary>Back to plain numbers, as after a power failure.</summary>
    Reset,
}

/// <summary>An OPS243 at the other end of a real pseudo-terminal: takes commands, answers, reports 20 times a second.</summary>
internal sealed class SimulatedOps243 : IDisposable
{
    private static readonly HashSet<string> Known = ["OJ", "UM", "OU", "Om", "Ot", "OS", "S2", "S<", "R|", "BZ", "O2", "U?", "??"];

    private readonly Pty pty = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Thread listener;
    private readonly ConcurrentQueue<double> reports = new();
    private readonly Lock gate = new();

    public SimulatedOps243()
    {
        listener = new Thread(Listen) { IsBackground = true };
        listener.Start();
        _ = Task.Run(SpeakAsync);
    }

    public string Path => pty.Path;

    public string Product { get; init; } = "{\"Product\":\"OPS243-A\"}";

    public string Units { get; init; } = "{\"Units\":\"m-per-sec\"}";

    public bool UnitInReports { get; init; } = true;

    public volatile RadarMode Mode;

    public ConcurrentQueue<string> Commands { get; } = new();

    public void Pass(double speed, int reports)
    {
        for (int n = 0; n < reports; n++)
        {
            this.reports.Enqueue(speed);
        }
    }

    public void Unplug()
    {
        stop.Cancel();
        listener.Join();
        pty.Unplug();
    }

    public void Dispose()
    {
        Unplug();
    }

    private void Say(string line)
    {
        try
        {
            lock (gate)
            {
                pty.Say(Encoding.ASCII.GetBytes(line + "\r\n"));
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
        }
    }

    private async Task SpeakAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                switch (Mode)
                {
                    case RadarMode.Answering:
                        double speed = reports.TryDequeue(out double next) ? next : 0;
                        Say(string.Create(CultureInfo.InvariantCulture, $"{{{(UnitInReports ? "\"unit\":\"mps\"," : "")}\"speed\":\"{speed:0.0}\"}}"));
                        break;
                    case RadarMode.Garbage:
                        Say("\u007fd\":1\n#~!\n{\"speed\":\n12.3.4");
                        break;
                    case RadarMode.Reset:
                        Say("12.3");
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Listen()
    {
        var command = new StringBuilder();
        while (!stop.IsCancellationRequested)
        {
            if (pty.TryHear(TimeSpan.FromMilliseconds(20)) is not { } heard)
            {
                // Until somebody opens the port, asking returns at once.
                stop.Token.WaitHandle.WaitOne(5);
                continue;
            }

            char character = (char)heard;
            if (character is '\r' or '\n')
            {
                continue;
            }

            // Until a driver makes the line raw it echoes what the radar says: that is no command.
            command.Append(character);
            if (command.Length > 2)
            {
                command.Remove(0, 1);
            }

            string whole = command.ToString();
            if (Known.Contains(whole))
            {
                command.Clear();
                Commands.Enqueue(whole);
                if (Mode == RadarMode.Answering)
                {
                    Answer(whole);
                }
            }
        }
    }

    private void Answer(string command)
    {
        switch (command)
        {
            case "??":
                Say(Product);
                Say("{\"Version\":\"1.3.5\"}");
                Say("{\"SamplingRate\":20000, \"resolution\":0.2426}");
                Say("{\"SampleSize\":512}");
                break;
            case "U?":
                Say(Units);
                break;
            case "OJ":
                Say("{\"OutputFeature\":\"J\"}");
                break;
        }
    }
}
