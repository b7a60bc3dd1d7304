using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations;

/// <summary>What was done. Part of files that stay for years: never rename the words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CalibrationAct>))]
public enum CalibrationAct
{
    /// <summary>One point, where the quantity is (nearly) absent or at its lower reference: gives the offset, the gain stays.</summary>
    [JsonStringEnumMemberName("zero")]
    Zero = 1,

    /// <summary>One point, well up in the range: gives the gain, the raw value that stands for zero stays.</summary>
    [JsonStringEnumMemberName("span")]
    Span = 2,

    /// <summary>Zero and span: gives both.</summary>
    [JsonStringEnumMemberName("two-point")]
    TwoPoint = 3,

    /// <summary>A sound calibrator on the microphone: gives the offset in dB of all its levels.</summary>
    [JsonStringEnumMemberName("acoustic")]
    Acoustic = 4,

    /// <summary>An earlier act is taken back: what was in force before it is in force again, under a new version.</summary>
    [JsonStringEnumMemberName("undo")]
    Undo = 5,
}

/// <summary>Gain and offset that were, or are, in force: <c>value = raw x Gain + Offset</c>.</summary>
/// <param name="Version">Their version; 0 for none (gain 1, offset 0).</param>
/// <param name="Gain">Factor, finite, not zero.</param>
/// <param name="Offset">Canonical unit of the quantity.</param>
/// <param name="Since">UTC instant of the calibration they come from, which the next one is due after; null when not known.</param>
public sealed record CalibrationTerms(int Version, double Gain, double Offset, DateTime? Since)
{
    /// <summary>No calibration.</summary>
    public static CalibrationTerms None { get; } = new(0, 1, 0, null);
}

/// <summary>Statistics of the raw values of one point, in the canonical unit.</summary>
/// <param name="Count">Values, 1 or more.</param>
/// <param name="Mean">Their mean; for sound levels the energy mean.</param>
/// <param name="Deviation">Their standard deviation, 0 for a single value.</param>
/// <param name="Min">Smallest.</param>
/// <param name="Max">Largest.</param>
/// <param name="From">UTC instant of the first.</param>
/// <param name="To">UTC instant of the last.</param>
public sealed record RawStatistics(int Count, double Mean, double Deviation, double Min, double Max, DateTime From, DateTime To)
{
    /// <summary>Largest less smallest.</summary>
    [JsonIgnore]
    public double Spread => Max - Min;
}

/// <summary>One point of a calibration: what was known to be there, and what the instrument said.</summary>
/// <param name="Act">Zero, span or acoustic.</param>
/// <param name="Reference">True value, canonical unit of the quantity.</param>
/// <param name="Raw">What the instrument said, before any calibration.</param>
public sealed record CalibrationPoint(CalibrationAct Act, double Reference, RawStatistics Raw);

/// <summary>One act of calibration, as it stays on the station. Immutable.</summary>
/// <param name="Sensor">Name in the station file.</param>
/// <param name="Kind">Kind of the sensor at that time: a record of another instrument is not used.</param>
/// <param name="Quantity">Identifier of the observed property; <c>laeq</c> stands for all sound levels of the sensor.</param>
/// <param name="Unit">Canonical unit of the quantity (SenML).</param>
/// <param name="Version">1 or more, counts up for each sensor and quantity and is never used again.</param>
/// <param name="Act">What was done.</param>
/// <param name="At">UTC instant.</param>
/// <param name="By">Who did it, at most <see cref="TextMax"/> characters; null when not said.</param>
/// <param name="Reference">What the reference was (certificate, cylinder, calibrator), at most <see cref="TextMax"/> characters; null when not said.</param>
/// <param name="Celsius">Temperature at the reference, degrees Celsius; null when not said.</param>
/// <param name="Points">The points measured, none for an undo, at most 2.</param>
/// <param name="Before">What was in force.</param>
/// <param name="After">What is in force from now on, with <paramref name="Version"/>.</param>
/// <param name="Undoes">Version that an undo takes back; null otherwise.</param>
/// <param name="SensitivityBefore">Microphones: sensitivity of the station file, dBFS at 94 dB SPL, with which raw levels are measured; null otherwise.</param>
/// <param name="SensitivityAfter">Microphones: sensitivity found, the same as <c>SensitivityBefore - Offset</c>; null otherwise.</param>
/// <param name="Agent">Program and version that recorded it.</param>
public sealed record CalibrationRecord(
    string Sensor, string Kind, string Quantity, string Unit, int Version, CalibrationAct Act, DateTime At, string? By, string? Reference, double? Celsius,
    IReadOnlyList<CalibrationPoint> Points, CalibrationTerms Before, CalibrationTerms After, int? Undoes, double? SensitivityBefore, double? SensitivityAfter, string Agent)
{
    /// <summary>Longest text a person may give.</summary>
    public const int TextMax = 200;

    /// <summary>The record as it is written: JSON, UTF-8.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, CalibrationJson.Default.CalibrationRecord);

    /// <summary>Reads and checks a record.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out CalibrationRecord? record, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            record = JsonSerializer.Deserialize(utf8, CalibrationJson.Default.CalibrationRecord);
            problem = record is null ? "It is empty." : record.Mistake();
        }
        catch (JsonException e)
        {
            (record, problem) = (null, $"It is no calibration record: {e.Path} {e.Message.ReplaceLineEndings(" ")}");
        }

        record = problem is null ? record : null;
        return problem is null;
    }

    private string? Mistake() => this switch
    {
        { Version: < 1 } => "Its version is below 1.",
        _ when !Enum.IsDefined(Act) => "Its act is not known.",
        _ when !QuantityCatalogue.TryGet(Quantity, out Quantity? _) => $"Its quantity '{Quantity}' is not in the catalogue.",
        _ when After.Version != Version => "Its versions differ.",
        _ when !IsGood(Before) || !IsGood(After) => "Its gain or offset is no number, or the gain is zero.",
        _ => null,
    };

    private static bool IsGood(CalibrationTerms terms) => double.IsFinite(terms.Gain) && terms.Gain != 0 && double.IsFinite(terms.Offset);
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false, MaxDepth = 16)]
[JsonSerializable(typeof(CalibrationRecord))]
internal sealed partial class CalibrationJson : JsonSerializerContext;
