using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Ingest.Http;

/// <summary>One refusal in the answer to an HTTP sender.</summary>
/// <param name="Record">0-based index of the record in the pack; -1 for the pack as a whole.</param>
/// <param name="Reason">Kind of mistake, a stable code.</param>
/// <param name="Detail">What was found and what was expected, in English.</param>
public sealed record HttpRefusal(int Record, string Reason, string Detail);

/// <summary>What became of a pack sent over HTTP. <c>received = stored + corrected + duplicate + quarantined</c>; all of it is on disk.</summary>
/// <param name="Received">Records seen.</param>
/// <param name="Stored">New observations.</param>
/// <param name="Corrected">Observations that replaced a losing value.</param>
/// <param name="Duplicate">Observations that were there already.</param>
/// <param name="Quarantined">Records refused and kept in the quarantine.</param>
/// <param name="Refusals">The first refusals, at most 20.</param>
public sealed record HttpReceipt(int Received, int Stored, int Corrected, int Duplicate, int Quarantined, IReadOnlyList<HttpRefusal> Refusals);

/// <summary>Readings over HTTP: the same packs, credentials and rules as over MQTT. The answer is sent when the pack is on disk.</summary>
internal sealed class HttpIngest(IngestPipeline pipeline, IStations stations, IngestInstruments instruments, IOptions<IngestOptions> options, TimeProvider time)
{
    public const string Transport = "http";

    /// <summary>Header, an empty block and trailer (RFC 1952).</summary>
    private const int GzipBytesMin = 20;

    private readonly IngestOptions _options = options.Value;

    public async Task<IResult> PostAsync(string municipality, string station, HttpContext context)
    {
        var request = context.Request;
        if (!StationLogin.TryAuthenticate(request, stations, out var sender))
        {
            instruments.LoginRefused(Transport, "credentials");
            context.Response.Headers.WWWAuthenticate = StationLogin.Challenge;
            return Problem(StatusCodes.Status401Unauthorized, "credentials", "Send the station's user name {municipality}/{station} and its secret with Basic authentication.");
        }

        if (!string.Equals(municipality, sender.Municipality, StringComparison.Ordinal) || !string.Equals(station, sender.Slug, StringComparison.Ordinal))
        {
            instruments.TopicRefused(Transport);
            return Problem(StatusCodes.Status403Forbidden, "station", "A station may send only its own readings: the address names another one.");
        }

        if (string.IsNullOrWhiteSpace(request.ContentType) || !PackFormats.TryParse(request.ContentType, [], out var format))
        {
            return Problem(StatusCodes.Status415UnsupportedMediaType, "content-type", "Send application/senml+json or application/senml+cbor.");
        }

        if (!TryEncoding(request, out var gzip))
        {
            return Problem(StatusCodes.Status415UnsupportedMediaType, "content-encoding", "Send the pack as it is or with Content-Encoding: gzip.");
        }

        if (pipeline.IsFull)
        {
            return Busy("busy", "Too many packs are being taken at once; send it again.");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(ReadingPack.BytesMax + 1);
        try
        {
            var length = await ReadAsync(context, gzip, buffer).ConfigureAwait(false);
            if (length > ReadingPack.BytesMax)
            {
                return Problem(StatusCodes.Status413PayloadTooLarge, "too-large", $"A pack may have {ReadingPack.BytesMax} bytes; send several.");
            }

            // Not cancelled when the sender hangs up: the pack is here, and storing it is cheaper than receiving it again.
            var pack = new ArrivedPack(sender, format, buffer.AsMemory(0, length), time.GetUtcNow().UtcDateTime, Transport);
            return Answer(await pipeline.AcceptAsync(pack, CancellationToken.None).ConfigureAwait(false));
        }
        catch (InvalidDataException)
        {
            return Problem(StatusCodes.Status400BadRequest, "content-encoding", "The body is not what Content-Encoding says.");
        }
        catch (BadHttpRequestException exception)
        {
            return Problem(exception.StatusCode, exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too-large" : "request", exception.Message);
        }
        catch (SeriesUnavailableException)
        {
            return Busy("unavailable", "The hub cannot store anything at the moment; nothing was taken. Send it again.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal static bool TryEncoding(HttpRequest request, out bool gzip)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        gzip = string.Equals(encoding, "gzip", StringComparison.OrdinalIgnoreCase);
        return gzip || encoding.Length == 0 || string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads the body into the buffer, which is one byte longer than a pack may be, so that a full buffer means too much.</summary>
    private static Task<int> ReadAsync(HttpContext context, bool gzip, byte[] buffer)
    {
        var limit = ReadingPack.BytesMax + 1;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limit;
        }

        return !gzip && context.Request.ContentLength > ReadingPack.BytesMax ? Task.FromResult(limit) : FillAsync(context, gzip, buffer, limit);
    }

    /// <summary>Reads up to a number of bytes of the body, unpacked.</summary>
    /// <exception cref="InvalidDataException">The body is no gzip stream, or ends before its end.</exception>
    internal static async Task<int> FillAsync(HttpContext context, bool gzip, byte[] buffer, int limit)
    {
        if (!gzip)
        {
            return await FillAsync(context.Request.Body, buffer, limit, context.RequestAborted).ConfigureAwait(false);
        }

        var packed = ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            var packedLength = await FillAsync(context.Request.Body, packed, limit, context.RequestAborted).ConfigureAwait(false);
            using var source = new MemoryStream(packed, 0, packedLength, writable: false);
            await using var unpacked = new GZipStream(source, CompressionMode.Decompress);
            var length = await FillAsync(unpacked, buffer, limit, context.RequestAborted).ConfigureAwait(false);

            // A stream that ends too early is no error to GZipStream, and half a pack must not pass for a whole one: the last four bytes say how long it was.
            return length == limit || (packedLength >= GzipBytesMin && BinaryPrimitives.ReadUInt32LittleEndian(packed.AsSpan(packedLength - sizeof(uint))) == length)
                ? length
                : throw new InvalidDataException("The gzip stream ends before its end.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    private static async Task<int> FillAsync(Stream body, byte[] buffer, int limit, CancellationToken cancellationToken)
    {
        var length = 0;
        int read;
        while (length < limit && (read = await body.ReadAsync(buffer.AsMemory(length, limit - length), cancellationToken).ConfigureAwait(false)) > 0)
        {
            length += read;
        }

        return length;
    }

    private static IResult Answer(in PackReceipt receipt)
    {
        var refusals = receipt.Refusals.Select(r => new HttpRefusal(r.RecordIndex, r.Reason.ToString(), r.Detail)).ToArray();
        var answer = new HttpReceipt(receipt.Received, receipt.Stored, receipt.Corrected, receipt.Duplicate, receipt.Quarantined, refusals);
        return receipt.AllRefused
            ? Problem(StatusCodes.Status422UnprocessableEntity, "refused", "Nothing of the pack can be taken. It is in the quarantine, from which an operator can release it.", answer)
            : Results.Json(answer, statusCode: StatusCodes.Status201Created);
    }

    private RetryLater Busy(string code, string detail) => Busy(code, detail, _options.RetryAfter);

    internal static RetryLater Busy(string code, string detail, TimeSpan after) => new(Problem(StatusCodes.Status503ServiceUnavailable, code, detail), after);

    internal static IResult Problem(int status, string code, string detail, object? receipt = null)
    {
        var problem = new ProblemDetails
        {
            Type = $"urn:hub:problem:ingest:{code}",
            Title = Title(status),
            Status = status,
            Detail = detail,
        };
        problem.Extensions["code"] = $"ingest.{code}";
        if (receipt is not null)
        {
            problem.Extensions["receipt"] = receipt;
        }

        return Results.Problem(problem);
    }

    private static string Title(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "Wrong or missing credentials",
        StatusCodes.Status403Forbidden => "Not your station",
        StatusCodes.Status413PayloadTooLarge => "Pack too large",
        StatusCodes.Status415UnsupportedMediaType => "Unknown content type",
        StatusCodes.Status422UnprocessableEntity => "Pack refused",
        StatusCodes.Status503ServiceUnavailable => "Try again later",
        _ => "Bad request",
    };

    internal sealed class RetryLater(IResult inner, TimeSpan after) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[HeaderNames.RetryAfter] = ((int)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return inner.ExecuteAsync(httpContext);
        }
    }
}
