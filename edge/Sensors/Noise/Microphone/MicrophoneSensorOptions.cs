namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>How a sound card writes a sample; all little-endian.</summary>
public enum SoundFormat
{
    /// <summary>32 bits; also 24 or 18 true bits at the top of 32, as I2S microphones give (ALSA S32_LE).</summary>
    S32,

    /// <summary>24 bits at the bottom of 32 (ALSA S24_LE).</summary>
    S24,

    /// <summary>24 bits in three bytes, as many USB microphones give (ALSA S24_3LE).</summary>
    S24Packed,

    /// <summary>16 bits (ALSA S16_LE). I2S microphones on a Pi often give silence in it.</summary>
    S16,
}

/// <summary>A microphone behind ALSA. Bound from <c>microphone:</c> of a sensor in the station file.</summary>
public sealed class MicrophoneSensorOptions
{
    /// <summary>ALSA name of the device, such as <c>hw:CARD=sndrpigooglevoi,DEV=0</c> or <c>hw:1</c>; <c>arecord -l</c> lists them. Required. Prefer <c>hw:</c>, where nothing converts on the way.</summary>
    public string Device { get; set; } = "";

    /// <summary>Samples a second: 44100, 48000 (default) or 96000. A device that cannot do it is refused, nothing is resampled.</summary>
    public int Rate { get; set; } = 48_000;

    /// <summary>How the device writes a sample; default <c>s32</c>.</summary>
    public SoundFormat Format { get; set; } = SoundFormat.S32;

    /// <summary>Channels of the device, 1 or 2 (default: an I2S bus has two slots, one may be empty).</summary>
    public int Channels { get; set; } = 2;

    /// <summary>Channel the microphone is on, 1 (left, default) or 2. Others are not looked at.</summary>
    public int Channel { get; set; } = 1;

    /// <summary>
    /// What the microphone gives at 94 dB SPL, dBFS, -80 to 0; 0 dBFS is a sine that reaches full scale. Default -26 (ICS-43434, SPH0645). Calibrate it with an
    /// acoustic calibrator.
    /// </summary>
    public double Sensitivity { get; set; } = -26;

    /// <summary>Lowest level the microphone can tell from its own noise, dB(A), 0 to 80: values below are flagged under range. Default 30 (ICS-43434).</summary>
    public double Floor { get; set; } = 30;

    /// <summary>Level of a sine at which the microphone begins to distort, dB SPL, 80 to 160: from there on values are flagged saturated. Default: only where the samples clip.</summary>
    public double? Overload { get; set; }

    /// <summary>Dropped after each start and after each gap, 0.25 s to 1 minute; default 1 s.</summary>
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Averaging period, whole seconds that divide an hour, 10 s to 1 h; aligned to the UTC clock. Default 1 minute.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>LAeq of every second as well; default no.</summary>
    public bool EverySecond { get; set; }

    /// <summary>Third-octave bands from 25 Hz to 12.5 kHz of every period as well (<c>lzeq_25</c> to <c>lzeq_12500</c>); default no.</summary>
    public bool Bands { get; set; }
}
