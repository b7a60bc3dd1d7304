using System.Buffers;
using System.Text;
using Hub.Cloud.Ingest.Http;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Adapters;

/// <summary>What became of a foreign push. <c>received = stored + corrected + duplicate + quarantined</c>; all of it is on disk.</summary>
/// <param name="Received">Readings made and fields or rows refused.</param>
/// <param name="Stored">New observations.</param>
/// <param name="Corrected">Observations that replaced a losing value.</param>
/// <param name="Duplicate">Observations that were there already.</param>
/// <param name="Quarantined">Fields or rows refused and kept in the quarantine.</param>
/// <param name="Refusals">The first refusals, at most 20.</param>
/// <param name="Ignored">Names of fields that are known and left out on purpose, at most 50.</param>
public sealed record AdapterReceipt(int Received, int Stored, int Corrected, int Duplicate, int Quarantined, IReadOnlyList<HttpRefusal> Refusals, IReadOnlyCollection<string> Ignored);

/// <summary>
/// Pushes of foreign stations over HTTP: authenticate, translate, and then the way of every pack. Such senders keep nothing: whatever is refused is in the quarantine before the
/// answer, and what only waits for the operator (a device nobody declared yet) is answered 202, because several refusals in a row make a network stop sending.
/// </summary>
internal sealed class AdapterIngest(IngestPipeline pipeline, IAdapterSecrets secrets, AdapterSet adapters, IngestInstruments instruments, IOptions<IngestOptions> options, TimeProvider time, ILogger<AdapterIngest> logger)
{
    private readonly PushMemory _pushes = new();

    public async Task<IResult> PostAsync(string municipality, string slug, string name, HttpContext context)
    {
        var adapter = adapters.Find(name) ?? throw new InvalidOperationException($"There is no adapter {name}.");
        var request = context.Request;
        var user = $"{municipality}/{slug}";
        if (!TrySecret(request.Headers.Authorization, out var given, out var secret) || !secrets.Authenticate(municipality, slug, name, secret, out var station))
        {
            instruments.LoginRefused(name, "credentials");
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"hub\", charset=\"UTF-8\"";
            return HttpIngest.Problem(
                StatusCodes.Status401Unauthorized, "credentials", $"Send the secret of this station for {name}, which is not the station's own: Basic with user name {{municipality}}/{{station}}, or Bearer.");
        }

        if (given is not null && given != user)
        {
            instruments.TopicRefused(name);
            return HttpIngest.Problem(StatusCodes.Status403Forbidden, "station", "A station may send only its own readings: the address names another one than the user name.");
        }

        if (!HttpIngest.TryEncoding(request, out var gzip))
        {
            return HttpIngest.Problem(StatusCodes.Status415UnsupportedMediaType, "content-encoding", "Send the body as it is or with Content-Encoding: gzip.");
        }

        if (pipeline.IsFull)
        {
            return HttpIngest.Busy("busy", "Too many packs are being taken at once; send it again.", options.Value.RetryAfter);
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            // The beginning of what is too large is kept: only one byte more than the limit is ever read.
            size.MaxRequestBodySize = null;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(ReadingPack.BytesMax + 1);
        try
        {
            var length = await HttpIngest.FillAsync(context, gzip, buffer, ReadingPack.BytesMax + 1).ConfigureAwait(false);
            var now = time.GetUtcNow().UtcDateTime;
            var push = new AdapterPush(buffer.AsMemory(0, length), new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc), adapter.ContextOf(request));
            if (adapter.TimeIsArrival)
            {
                push = push with { ReceivedAt = _pushes.FirstArrival(station.Id, name, push) };
            }

            return await TakeAsync(adapter, station, push).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            return HttpIngest.Problem(StatusCodes.Status400BadRequest, "content-encoding", "The body is not what Content-Encoding says.");
        }
        catch (BadHttpRequestException exception)
        {
            return HttpIngest.Problem(exception.StatusCode, "request", exception.Message);
        }
        catch (SeriesUnavailableException)
        {
            return HttpIngest.Busy("unavailable", "The hub cannot store anything at the moment; nothing was taken. Send it again.", options.Value.RetryAfter);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<IResult> TakeAsync(IStationAdapter adapter, Station station, AdapterPush push)
    {
        Translation translation;
        try
        {
            translation = Translation.Of(adapter, push);
        }
#pragma warning disable CA1031 // A push must never be able to hurt more than itself, and its sender keeps nothing: whatever it does to the adapter, it is kept.
        catch (Exception exception) when (exception is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            logger.TranslationFailed(exception, station.Municipality, station.Slug, adapter.Name);
            translation = Translation.Failed(adapter, push);
        }

        var ignored = translation.Ignored;

        // Nothing in it is measured (a join, a configuration, a simulation): there is nothing to store, and nothing is wrong.
        var receipt = translation.Readings.Count + translation.Refused.Count == 0
            ? default
            : await pipeline.AcceptAsync(station, translation, push.ReceivedAt, adapter.Name, CancellationToken.None).ConfigureAwait(false);
        instruments.FieldsIgnored(adapter.Name, translation.IgnoredCount);
        instruments.FieldsUnknown(adapter.Name, translation.UnknownCount);
        var refusals = (receipt.Refusals ?? []).Select(r => new HttpRefusal(r.RecordIndex, r.Reason.ToString(), r.Detail)).ToArray();
        var answer = new AdapterReceipt(receipt.Received, receipt.Stored, receipt.Corrected, receipt.Duplicate, receipt.Quarantined, refusals, ignored);
        if (!receipt.AllRefused)
        {
            return Results.Json(answer, statusCode: receipt.Received == 0 ? StatusCodes.Status200OK : StatusCodes.Status201Created);
        }

        var first = receipt.Refusals![0];
        if (first.Reason == RefusalReason.TooLarge && first.RecordIndex < 0)
        {
            return HttpIngest.Problem(StatusCodes.Status413PayloadTooLarge, "too-large", $"{first.Detail} Nothing was stored; its beginning is in the quarantine.", answer);
        }

        return receipt.Refusals.All(r => r.Reason is RefusalReason.UnknownQuantity or RefusalReason.Station)
            ? Results.Json(answer, statusCode: StatusCodes.Status202Accepted)
            : HttpIngest.Problem(StatusCodes.Status422UnprocessableEntity, "refused", $"{first.Detail} It is in the quarantine, from which an operator can release it.", answer);
    }

    /// <summary>Basic with a user name, or Bearer without one. Never from the address: addresses are written into logs on the way.</summary>
    private static bool TrySecret(string? header, out string? user, out byte[] secret)
    {
        const string bearer = "Bearer ";
        user = null;
        secret = [];
        if (BasicCredentials.TryParse(header, out var basic))
        {
            (user, secret) = basic;
            return true;
        }

        if (header is { Length: > 7 and <= 512 } && header.StartsWith(bearer, StringComparison.OrdinalIgnoreCase))
        {
            secret = Encoding.UTF8.GetBytes(header[bearer.Length..].Trim());
        }

        return secret.Length > 0;
    }
}
