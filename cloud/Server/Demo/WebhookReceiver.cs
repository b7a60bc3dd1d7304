using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Server.Demo;

/// <summary>
/// The demonstration's own subscriber: an HTTP server that verifies the signature of each webhook (Standard Webhooks 1.0.0), keeps the body as a file and says a line; alarms of the
/// past are counted instead.
/// </summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private const int BodyBytesMax = 64 * 1024;
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private readonly WebApplication _app;
    private readonly byte[] _key;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private readonly Lock _keeping = new();
    private long _past;

    private WebhookReceiver(WebApplication app, byte[] key, string folder, TimeProvider time, Action<string> say) =>
        (_app, _key, _folder, _time, _say) = (app, key, folder, time, say);

    /// <summary>Where webhooks are sent.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Webhooks received that told of an alarm of the past; repeated deliveries not counted.</summary>
    public long Past => Interlocked.Read(ref _past);

    /// <summary>Starts the receiver on a free port of 127.0.0.1.</summary>
    /// <param name="secret">Shared secret: <c>whsec_</c> and base64.</param>
    /// <param name="folder">Receives one JSON file per webhook, named by its id: a repeated delivery changes nothing.</param>
    /// <param name="time">Clock the timestamps are judged by.</param>
    /// <param name="say">Receives one line per new webhook that is not of the past, and per refused one.</param>
    /// <param name="stop">Ends the start.</param>
    public static async Task<WebhookReceiver> StartAsync(string secret, string folder, TimeProvider time, Action<string> say, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Listen(System.Net.IPAddress.Loopback, 0);
        });
        builder.Services.AddRouting();
        var app = builder.Build();
        var receiver = new WebhookReceiver(app, Convert.FromBase64String(secret["whsec_".Length..]), folder, time, say);
        app.UseRouting();
        app.MapPost("/", receiver.ReceiveAsync);
        await app.StartAsync(stop);
        receiver.Address = HubHost.Address(app) + "/";
        return receiver;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> ReceiveAsync(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        var id = request.Headers["webhook-id"].ToString();
        var timestamp = request.Headers["webhook-timestamp"].ToString();
        if (!Verified(id, timestamp, request.Headers["webhook-signature"].ToString(), body))
        {
            _say("Webhook refused: its signature is wrong or its timestamp is not of now.");
            return Results.Unauthorized();
        }

        var file = Path.Combine(_folder, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32]}.json");
        if (await KeepAsync(file, body))
        {
            using var message = JsonDocument.Parse(body);
            if (message.RootElement.GetProperty("type").ValueEquals("alarm.past"))
            {
                Interlocked.Increment(ref _past);
            }
            else
            {
                _say(AlarmLine.Of(message.RootElement, _time.LocalTimeZone));
            }
        }

        return Results.NoContent();
    }

    /// <summary>Whole or not at all, and once: false when the file was there, also when two deliveries come at the same time.</summary>
    private async Task<bool> KeepAsync(string file, byte[] body)
    {
        var draft = $"{file}.{Guid.NewGuid():N}";
        await File.WriteAllBytesAsync(draft, body);
        lock (_keeping)
        {
            // Moving "without overwriting" looks first and renames then: two at once would both have moved.
            if (!File.Exists(file))
            {
                File.Move(draft, file);
                return true;
            }
        }

        File.Delete(draft);
        return false;
    }

    private bool Verified(string id, string timestamp, string signatures, byte[] body)
    {
        if (!long.TryParse(timestamp, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var seconds)
            || (_time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > Tolerance)
        {
            return false;
        }

        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = HMACSHA256.HashData(_key, signed);
        foreach (var signature in signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var given = new byte[64];
            if (signature.StartsWith("v1,", StringComparison.Ordinal)
                && Convert.TryFromBase64String(signature[3..], given, out var length)
                && CryptographicOperations.FixedTimeEquals(given.AsSpan(0, length), expected))
            {
                return true;
            }
        }

        return false;
    }
}
