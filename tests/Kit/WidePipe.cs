using System.Runtime.InteropServices;

namespace Hub.Tests.Kit;

/// <summary>A named pipe (FIFO) with room for seconds of sound: what is written into it comes out in whole pieces also when the reader is late, for the writer never has to wait in the middle of one.</summary>
public static partial class WidePipe
{
    /// <summary>F_SETPIPE_SZ of fcntl(2), and the most that any user may ask for.</summary>
    private const int SetSize = 1031;
    private const int Bytes = 1 << 20;

    /// <summary>Opens the writer's end of a pipe that is there; waits for the reader.</summary>
    public static FileStream OpenWriter(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
        if (Control((int)stream.SafeFileHandle.DangerousGetHandle(), SetSize, Bytes) < Bytes)
        {
            stream.Dispose();
            throw new IOException($"The pipe {path} cannot be made {Bytes} bytes wide (error {Marshal.GetLastPInvokeError()}).");
        }

        return stream;
    }

    /// <summary>Plays a tenth of a second of sound again and again in real time, until nobody listens any more. Ticks that a busy machine leaves out are made up for: a card loses none.</summary>
    public static async Task PlayAsync(string path, byte[] piece, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = OpenWriter(path);
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            long began = TimeProvider.System.GetTimestamp(), played = 0;
            while (await pace.WaitForNextTickAsync(cancellationToken))
            {
                // Rounded: a tick comes some time before or after its moment.
                for (var due = (long)Math.Round(TimeProvider.System.GetElapsedTime(began).TotalSeconds * 10); played < due; played++)
                {
                    await stream.WriteAsync(piece, cancellationToken);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // It was to stop, or the reader went away.
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);
}
