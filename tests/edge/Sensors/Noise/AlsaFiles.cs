using System.Runtime.InteropServices;
using System.Text;
using Hub.Tests.Kit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>
/// Sound cards made of ALSA's own plugins: real PCMs whose samples come from files. ALSA reads its configuration from a file that an environment variable
/// names, once; so all PCMs of the test program stand in one.
/// </summary>
public sealed partial class AlsaFiles : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly StringBuilder configuration = new();

    public AlsaFiles()
    {
        foreach (string name in Names)
        {
            // The file plugin wants a file to write to as well; nothing is to be kept.
            string input = folder.File(name + ".raw");
            configuration.Append(System.Globalization.CultureInfo.InvariantCulture, $"pcm.{name} {{ type file slave.pcm {{ type null }} file \"/dev/null\" infile \"{input}\" format \"raw\" }}\n");
        }

        configuration.Append(System.Globalization.CultureInfo.InvariantCulture, $"pcm.only44100 {{ type plug slave {{ pcm {{ type null }} rate 44100 }} }}\n");
        string path = folder.File("asound.conf");
        File.WriteAllText(path, configuration.ToString());

        // .NET keeps an environment of its own; ALSA asks the C library's.
        if (SetEnvironment("ALSA_CONFIG_PATH", path, 1) != 0)
        {
            throw new InvalidOperationException("The environment cannot be set.");
        }
    }

    private static string[] Names => ["mic1", "mic2", "mic3", "mic4", "mic5", "pipe"];

    public string Path(string name) => folder.File(name + ".raw");

    public void Dispose() => folder.Dispose();

    public static void MakePipe(string path)
    {
        if (MakeFifo(path, 0x180) != 0)
        {
            throw new IOException($"The pipe {path} cannot be made.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
