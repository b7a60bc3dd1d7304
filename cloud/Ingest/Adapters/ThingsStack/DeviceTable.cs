using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Ingest.Adapters.ThingsStack;

/// <summary>Where a decoded field of a device goes.</summary>
/// <param name="Property">Observed property.</param>
/// <param name="Unit">Unit of the field.</param>
/// <param name="OverReport">True when it stands for the time since the last report, not for the moment.</param>
/// <param name="Sensor">Added to the device's name where it has several instruments of one property; null else.</param>
internal sealed record DeviceField(string Property, string Unit, bool OverReport, string? Sensor);

/// <summary>One model of device.</summary>
/// <param name="Model">Name as in the device repository, <c>brand/model</c>.</param>
/// <param name="Ports">Ports on which it measures; empty for all.</param>
/// <param name="Report">Time between reports as the maker sets it; null when no field needs it.</param>
/// <param name="Fields">What its fields mean; null for one that is known and left out.</param>
/// <param name="Codec">Reads its bytes where the network does not; null when only the network can.</param>
internal sealed record DeviceModel(string Model, IReadOnlyList<int> Ports, TimeSpan? Report, IReadOnlyDictionary<string, DeviceField?> Fields, PayloadCodec? Codec);

/// <summary>The models whose fields are declared: the file that comes with the hub, and one of the operator's own that adds to it or replaces models of it.</summary>
internal sealed class DeviceTable
{
    private const string Resource = "Hub.Cloud.Ingest.Adapters.ThingsStack.devices.json";

    /// <summary>Most bytes of an operator's file.</summary>
    private const int FileBytesMax = 1024 * 1024;

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly Dictionary<string, DeviceModel> _models = new(StringComparer.OrdinalIgnoreCase);

    private DeviceTable()
    {
    }

    /// <summary>All models, in order of name.</summary>
    public IReadOnlyList<DeviceModel> Models => [.. _models.Values.Distinct().OrderBy(m => m.Model, StringComparer.Ordinal)];

    /// <summary>Reads the hub's own file, and an operator's after it.</summary>
    /// <exception cref="InvalidDataException">A file cannot be read or says something wrong; one line that names the file, the model and the field.</exception>
    public static DeviceTable Load(string? file)
    {
        var table = new DeviceTable();
        using (var own = typeof(DeviceTable).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"The resource {Resource} is missing."))
        using (var document = JsonDocument.Parse(own))
        {
            table.Read(document.RootElement, "devices.json");
        }

        if (string.IsNullOrWhiteSpace(file))
        {
            return table;
        }

        try
        {
            if (new FileInfo(file).Length > FileBytesMax)
            {
                throw new InvalidDataException($"The device file {file} has more than {FileBytesMax} bytes.");
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(file), Lenient);
            table.Read(document.RootElement, file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"The device file {file} cannot be read ({exception.Message}).", exception);
        }

        return table;
    }

    /// <summary>Finds a model; null when nobody declared it.</summary>
    public DeviceModel? Find(string model) => _models.GetValueOrDefault(model);

    private void Read(JsonElement root, string file)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("devices", out var devices) || devices.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidDataException($"{file}: expected {{\"devices\": [...]}}.");
        }

        foreach (var device in devices.EnumerateArray())
        {
            if (Text(device, "model") is not { } name || name.Count(c => c == '/') != 1)
            {
                throw new InvalidDataException($"{file}: each device needs a model such as \"brand/model\".");
            }

            var where = $"{file}, {name}";
            var report = device.TryGetProperty("reportSeconds", out var seconds)
                ? seconds.ValueKind == JsonValueKind.Number && seconds.TryGetInt32(out var whole) && whole is >= 1 and <= ThingsStackAdapter.PeriodSecondsMax
                    ? TimeSpan.FromSeconds(whole)
                    : throw new InvalidDataException($"{where}: reportSeconds must be a whole number of seconds, 1 to {ThingsStackAdapter.PeriodSecondsMax}.")
                : (TimeSpan?)null;
            int[] ports = device.TryGetProperty("ports", out var list)
                ? list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(p => p.ValueKind == JsonValueKind.Number && p.TryGetByte(out _))
                    ? [.. list.EnumerateArray().Select(p => p.GetInt32())]
                    : throw new InvalidDataException($"{where}: ports must be a list of numbers, 1 to 223.")
                : [];
            var fields = Fields(device, where);
            if (report is null && fields.Values.Any(f => f is { OverReport: true }))
            {
                throw new InvalidDataException($"{where}: a field is overReport, so reportSeconds must say how often the device reports.");
            }

            var codec = device.TryGetProperty("codec", out var given) ? PayloadCodec.Read(given, where) : null;
            var model = new DeviceModel(name, ports, report, fields, codec);
            _models[name] = model;
            if (device.TryGetProperty("also", out var also) && also.ValueKind == JsonValueKind.Array)
            {
                foreach (var other in also.EnumerateArray())
                {
                    _models[other.GetString() ?? ""] = model;
                }
            }
        }
    }

    private static Dictionary<string, DeviceField?> Fields(JsonElement device, string where)
    {
        if (!device.TryGetProperty("fields", out var list) || list.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"{where}: fields must say what each decoded field is.");
        }

        var fields = new Dictionary<string, DeviceField?>(StringComparer.Ordinal);
        foreach (var entry in list.EnumerateObject())
        {
            fields[entry.Name] = entry.Value.ValueKind == JsonValueKind.Null ? null : Field(entry.Value, $"{where}, {entry.Name}");
        }

        return fields;
    }

    private static DeviceField Field(JsonElement element, string where)
    {
        if (element.ValueKind != JsonValueKind.Object || Text(element, "property") is not { } property || Text(element, "unit") is not { } unit)
        {
            throw new InvalidDataException($"{where}: expected null, or property and unit.");
        }

        if (!QuantityCatalogue.TryGet(property, out var quantity))
        {
            throw new InvalidDataException($"{where}: {property} is not in the quantity catalogue.");
        }

        if (!SenmlUnits.TryGet(unit, out var from) || !SenmlUnits.TryGet(quantity.SenmlUnit, out var to) || !SenmlUnit.TryConvert(0, from, to, out _))
        {
            throw new InvalidDataException($"{where}: {unit} is not a unit of {property}, which is in {quantity.SenmlUnit}.");
        }

        var sensor = Text(element, "sensor");
        if (sensor is not null && (!ReadingRules.IsSensor(sensor) || sensor.Length > ThingsStackAdapter.SensorSuffixMax))
        {
            throw new InvalidDataException($"{where}: sensor must be 1 to {ThingsStackAdapter.SensorSuffixMax} of a-z 0-9 -.");
        }

        return new DeviceField(property, unit, element.TryGetProperty("overReport", out var over) && over.ValueKind == JsonValueKind.True, sensor);
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
