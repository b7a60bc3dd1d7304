using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Files;

namespace Hub.Edge.Twin;

/// <summary>
/// The file <c>state</c>: one line <c>hub-twin 1 {SHA-256 of the rest}</c>, then the state as JSON. Replaced whole, so that a cut leaves the one before or the new one. One that
/// cannot be read is put aside as <c>state.damaged</c> (the last such is kept) and stands for none.
/// </summary>
internal sealed class TwinStore
{
    /// <summary>Two documents, in Base64, and what else there is.</summary>
    public const int FileBytesMax = 512 * 1024;

    private readonly string _path;

    /// <exception cref="IOException">The folder cannot be made.</exception>
    public TwinStore(string folder)
    {
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, "state");
    }

    private static ReadOnlySpan<byte> Mark => "hub-twin 1 "u8;

    /// <summary>The state as bytes of the file.</summary>
    public static byte[] ToBytes(TwinState state)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, TwinStateJson.Default.TwinState);
        return [.. Mark, .. Sum(json), (byte)'\n', .. json];
    }

    /// <summary>The state in the bytes of a file; null when a bit of it is wrong.</summary>
    public static TwinState? Read(ReadOnlySpan<byte> file)
    {
        var head = Mark.Length + 64 + 1;
        if (file.Length <= head || !file.StartsWith(Mark) || file[head - 1] != (byte)'\n' || !file[Mark.Length..(head - 1)].SequenceEqual(Sum(file[head..])))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(file[head..], TwinStateJson.Default.TwinState);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What was kept; null when nothing was.</summary>
    /// <param name="damaged">True when something was and cannot be read.</param>
    public TwinState? Load(out bool damaged)
    {
        damaged = false;
        if (!File.Exists(_path))
        {
            return null;
        }

        try
        {
            var state = new FileInfo(_path).Length <= FileBytesMax ? Read(File.ReadAllBytes(_path)) : null;
            damaged = state is null;
            if (damaged)
            {
                DurableFile.Rename(_path, _path + ".damaged");
            }

            return state;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            damaged = true;
            return null;
        }
    }

    /// <summary>Keeps a state; when this returns it survives a power cut.</summary>
    /// <exception cref="IOException">The disk refused; what was kept before stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written; what was kept before stays.</exception>
    public void Save(TwinState state) => DurableFile.Replace(_path, ToBytes(state), DurableFile.Private);

    private static byte[] Sum(ReadOnlySpan<byte> bytes) => System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes)));
}

[JsonSerializable(typeof(TwinState))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, MaxDepth = 16)]
internal sealed partial class TwinStateJson : JsonSerializerContext;
