using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Server.Demo;

/// <summary>
/// The demonstration's own subscriber: an HTTP server that verifies the signature of each webhook (Standard Webhooks 1.0.0), keeps the body as a file and says a line.
/// </summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private readonly WebApplication _app;
    private readonly byte[] _key;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;

    private WebhookReceiver(WebApplication app, byte[] key, string folder, TimeProvider time, Action<string> say) =>
        (_app, _key, _folder, _time, _say) = (app, key, folder, time, say);

    /// <summary>Where webhooks are sent.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Starts the receiver on a free port of 127.0.0.1.</summary>
    /// <param name="secret">Shared secret: <c>whsec_</c> and base64.</param>
    /// <param name="folder">Receives one JSON file per webhook, named by its id: a repeated delivery changes nothing.</param>
    /// <param name="time">Clock the timestamps are judged by.</param>
    /// <param name="say">Receives one line per new webhook.</param>
    /// <param name="stop">Ends the start.</param>
    public static async Task<WebhookReceiver> StartAsync(string secret, string folder, TimeProvider time, Action<string> say, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
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
            _say("webhook  refused: its signature is wrong");
            return Results.Unauthorized();
        }

        var file = Path.Combine(_folder, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32]}.json");
        if (!File.Exists(file))
        {
            await File.WriteAllBytesAsync(file, body);
            using var message = JsonDocument.Parse(body);
            _say($"webhook  {message.RootElement.GetProperty("type").GetString()}  {file}");
        }

        return Results.NoContent();
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
