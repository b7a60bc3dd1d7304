using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Hub.Edge.Calibrations;
using Hub.Edge.Commands;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Thresholds;
using Hub.Edge.Update;
using Hub.Edge.Uplink;

namespace Hub.Edge.Agent.Tests;

/// <summary>Makes the JSON Schema of the station file from the options types; descriptions are the types' own documentation.</summary>
internal static partial class SchemaGenerator
{
    private const string Duration = @"^(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?$";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Keys without which nothing works; everything else has a default or is judged by its stage.</summary>
    private static readonly Dictionary<Type, string[]> Required = new()
    {
        [typeof(AgentOptions)] = ["municipality", "station"],
        [typeof(SensorOptions)] = ["name", "kind"],
        [typeof(LocationOptions)] = ["latitude", "longitude"],
        [typeof(ThresholdRuleOptions)] = ["slug", "property", "setLevel"],
        [typeof(ThresholdActionOptions)] = ["rule"],
        [typeof(ThresholdMqttOptions)] = ["topic"],
    };

    public static string Generate()
    {
        var root = Of(typeof(AgentOptions));
        var properties = root["properties"]!.AsObject();
        properties["hub"] = Of(typeof(HubOptions));
        properties["identify"] = Of(typeof(IdentifyOptions));
        properties["outbox"] = Of(typeof(OutboxOptions));
        properties["uplink"] = Of(typeof(UplinkOptions));
        properties["update"] = Of(typeof(UpdateOptions));
        properties["sampling"] = Of(typeof(SamplingOptions));
        properties["calibrations"] = Of(typeof(CalibrationsOptions));
        properties["thresholds"] = Of(typeof(ThresholdsOptions));
        properties["replay"] = Of(typeof(ReplayOptions));
        properties["sensors"] = OfProperty(typeof(SensorsOptions).GetProperty(nameof(SensorsOptions.Sensors))!);
        var whole = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Station file of hub-agent",
        };
        foreach (var (key, value) in root.ToArray())
        {
            root.Remove(key);
            whole[key] = value;
        }

        return whole.ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";
    }

    private static JsonObject Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
        {
            return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(name => (JsonNode)Camel(name))]) };
        }

        if (type == typeof(TimeSpan))
        {
            return new JsonObject { ["type"] = "string", ["pattern"] = Duration };
        }

        if (type == typeof(DateTimeOffset))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        }

        if (type == typeof(string))
        {
            return new JsonObject { ["type"] = "string" };
        }

        if (type == typeof(bool))
        {
            return new JsonObject { ["type"] = "boolean" };
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return new JsonObject { ["type"] = "integer" };
        }

        if (type == typeof(double))
        {
            return new JsonObject { ["type"] = "number" };
        }

        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type))
        {
            return new JsonObject { ["type"] = "array", ["items"] = Of(type.GetGenericArguments()[0]) };
        }

        var properties = new JsonObject();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            if (property.SetMethod is { IsPublic: true } || (property.SetMethod is null && property.PropertyType.IsGenericType && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)))
            {
                properties[Camel(property.Name)] = OfProperty(property);
            }
        }

        var schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = false };
        if (Required.TryGetValue(type, out var required))
        {
            schema["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]);
        }

        schema["properties"] = properties;
        return schema;
    }

    private static JsonObject OfProperty(PropertyInfo property)
    {
        var schema = Of(property.PropertyType);
        switch (property.GetCustomAttribute<DataTypeAttribute>())
        {
            // The words of JSON Schema for what one may give and never gets back, and a format of ours for what names a file or folder.
            case { DataType: DataType.Password }:
                schema["writeOnly"] = true;
                break;
            case { DataType: DataType.Custom, CustomDataType: { } format }:
                (schema["items"] as JsonObject ?? schema)["format"] = format;
                break;
        }

        if (Summary(property) is { Length: > 0 } summary)
        {
            schema.Insert(0, "description", summary);
        }

        return schema;
    }

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static string Summary(PropertyInfo property)
    {
        var path = Path.ChangeExtension(property.DeclaringType!.Assembly.Location, ".xml");
        var member = XDocument.Load(path).Descendants("member")
            .FirstOrDefault(member => (string?)member.Attribute("name") == $"P:{property.DeclaringType.FullName}.{property.Name}");
        var text = string.Concat(member?.Element("summary")?.Nodes().Select(Plain) ?? []);
        return Spaces().Replace(text, " ").Trim();
    }

    /// <summary>A reference becomes the key of the station file that it means.</summary>
    private static string Plain(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "paramref" } see => ((string?)see.Attribute("cref") ?? "").Split('.') is [.., var last] ? Camel(last) : "",
        XElement element => element.Value,
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
