using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Hub.Edge.Contract.Claims;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Claiming.Tests;

/// <summary>The hub's end of a claim as FORMAT.md has it: one code for one station, taken again only with the same secret. Can be told to fail first.</summary>
internal sealed class ClaimDesk : IAsyncDisposable
{
    public const string Code = "7K3M-Q9XT-2HWB";

    private readonly WebApplication _app;
    private string? _claimedWith;

    private ClaimDesk(WebApplication app, string address) => (_app, Address) = (app, address);

    public string Address { get; }

    public ConcurrentQueue<ClaimRequest> Requests { get; } = new();

    public ClaimReply Reply { get; set; } = new("braga", "rotunda", "Rotunda", 41.5503, -8.4229, "127.0.0.1", 1883, false);

    /// <summary>What to do instead, request by request; when it is empty, the desk does its work.</summary>
    public ConcurrentQueue<Func<HttpContext, Task>> Instead { get; } = new();

    /// <summary>Runs before every answer.</summary>
    public Action? Before { get; set; }

    public string? ClaimedWith => _claimedWith;

    public static async Task<ClaimDesk> OpenAsync(TestAuthority? authority = null, DateTimeOffset? validFrom = null)
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (authority is not null)
            {
                listen.UseHttps(validFrom is { } from ? authority.Issue(from, "127.0.0.1") : authority.Issue("127.0.0.1"));
            }
        }));
        var app = builder.Build();
        var desk = new ClaimDesk(app, string.Create(CultureInfo.InvariantCulture, $"{(authority is null ? "http" : "https")}://127.0.0.1:{port}"));
        app.MapPost("/claim/v1", desk.TakeAsync);
        await app.StartAsync();
        return desk;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    public Task TakeAsync(HttpContext context) => TakeAsync(context, answer: true);

    /// <summary>Does the work, and then hangs up without a word.</summary>
    public Task TakeAndHangUpAsync(HttpContext context) => TakeAsync(context, answer: false);

    private async Task TakeAsync(HttpContext context, bool answer)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        Assert.Equal("application/json", context.Request.ContentType);
        Assert.True(ClaimRequest.TryRead(body.ToArray(), out var request, out var problem), problem);
        if (answer && Instead.TryDequeue(out var instead))
        {
            if (instead == TakeAndHangUpAsync)
            {
                Answer(request);
                context.Abort();
                return;
            }

            Requests.Enqueue(request);
            await instead(context);
            return;
        }

        Before?.Invoke();
        context.Response.StatusCode = Answer(request);
        if (context.Response.StatusCode < 400)
        {
            await context.Response.Body.WriteAsync(Reply.ToUtf8());
        }
    }

    private int Answer(ClaimRequest request)
    {
        Requests.Enqueue(request);
        if (request.Code != Code || (_claimedWith is not null && _claimedWith != request.Secret))
        {
            return 404;
        }

        var again = _claimedWith is not null;
        _claimedWith = request.Secret;
        return again ? 200 : 201;
    }
}
