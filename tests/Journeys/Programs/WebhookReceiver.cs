using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Tests.Journeys.Programs;

/// <summary>
/// Subscribers' own HTTP server on a free port of 127.0.0.1: keeps what comes, in order, before it answers, and checks each signature by Standard Webhooks 1.0.0 alone. One path for each subscriber.
/// </summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly ConcurrentDictionary<string, byte[]> _keys = new();

    private WebhookReceiver(WebApplication app) => _app = app;

    public sealed record Request(string Path, string Id, string Timestamp, byte[] Body, bool IsSigned)
    {
        public string Text => Encoding.UTF8.GetString(Body);
    }

    /// <summary>Everything that came, in order.</summary>
    public IReadOnlyList<Request> Requests => [.. _requests];

    /// <summary>Answers a request that has been kept; 204 unless the journey says otherwise.</summary>
    public Func<Request, HttpContext, Task> Answer { get; set; } = (_, context) =>
    {
        context.Response.StatusCode = (int)HttpStatusCode.NoContent;
        return Task.CompletedTask;
    };

    private string Root { get; set; } = "";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        receiver.Root = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return receiver;
    }

    /// <summary>Where a subscriber's messages are sent.</summary>
    public string Address(string path) => $"{Root}{path}";

    /// <summary>What was shown when the subscriber was made.</summary>
    public void Trust(string path, string secret) => _keys[path] = Convert.FromBase64String(secret["whsec_".Length..]);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var (path, headers) = (context.Request.Path.Value!, context.Request.Headers);
        var (id, timestamp) = (headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString());
        var request = new Request(path, id, timestamp, body.ToArray(), IsSigned(path, id, timestamp, headers["webhook-signature"].ToString(), body.ToArray()));
        _requests.Enqueue(request);
        await Answer(request, context);
    }

    private bool IsSigned(string path, string id, string timestamp, string signatures, byte[] body)
    {
        if (!_keys.TryGetValue(path, out var key) || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || (DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > TimeSpan.FromMinutes(5))
        {
            return false;
        }

        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]));
        return signatures.Split(' ').Contains(expected, StringComparer.Ordinal);
    }
}
