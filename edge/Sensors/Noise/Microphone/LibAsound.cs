using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>The part of ALSA's user library that capture needs. Frames are <c>unsigned long</c>: as wide as a pointer on every Linux.</summary>
internal static partial class LibAsound
{
    public const int StreamCapture = 1;
    public const int OpenNonBlocking = 1;
    public const int AccessReadInterleaved = 3;

    public const int FormatS16 = 2;
    public const int FormatS24 = 6;
    public const int FormatS32 = 10;
    public const int FormatS24Packed = 32;

    private const string Library = "libasound.so.2";

    [LibraryImport(Library, EntryPoint = "snd_pcm_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(out nint pcm, string name, int stream, int mode);

    [LibraryImport(Library, EntryPoint = "snd_pcm_close")]
    public static partial int Close(nint pcm);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_malloc")]
    public static partial int ParamsAllocate(out nint parameters);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_free")]
    public static partial void ParamsFree(nint parameters);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_any")]
    public static partial int ParamsAny(nint pcm, nint parameters);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_rate_resample")]
    public static partial int ParamsSetResample(nint pcm, nint parameters, uint allowed);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_access")]
    public static partial int ParamsSetAccess(nint pcm, nint parameters, int access);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_format")]
    public static partial int ParamsSetFormat(nint pcm, nint parameters, int format);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_channels")]
    public static partial int ParamsSetChannels(nint pcm, nint parameters, uint channels);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_rate")]
    public static partial int ParamsSetRate(nint pcm, nint parameters, uint rate, int direction);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_buffer_size_near")]
    public static partial int ParamsSetBufferNear(nint pcm, nint parameters, ref nuint frames);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params_set_period_size_near")]
    public static partial int ParamsSetPeriodNear(nint pcm, nint parameters, ref nuint frames, ref int direction);

    [LibraryImport(Library, EntryPoint = "snd_pcm_hw_params")]
    public static partial int ParamsApply(nint pcm, nint parameters);

    [LibraryImport(Library, EntryPoint = "snd_pcm_prepare")]
    public static partial int Prepare(nint pcm);

    [LibraryImport(Library, EntryPoint = "snd_pcm_start")]
    public static partial int Start(nint pcm);

    [LibraryImport(Library, EntryPoint = "snd_pcm_wait")]
    public static partial int Wait(nint pcm, int milliseconds);

    [LibraryImport(Library, EntryPoint = "snd_pcm_readi")]
    public static partial nint Read(nint pcm, Span<byte> frames, nuint count);

    [LibraryImport(Library, EntryPoint = "snd_strerror")]
    private static partial nint ErrorText(int error);

    /// <summary>What ALSA calls an error.</summary>
    public static string TextOf(int error) => Marshal.PtrToStringUTF8(ErrorText(error)) ?? "unknown error";
}
