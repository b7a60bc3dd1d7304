using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Claims;
using Hub.Edge.Files;

namespace Hub.Edge.Claiming;

/// <summary>The claim itself: checks first, then asks, then writes.</summary>
internal sealed class StationClaim(TimeProvider time, MachineName machine) : IClaiming
{
    /// <summary>Where the hub takes claims (FORMAT.md).</summary>
    private const string Path = "claim/v1";

    private const int SecretBytes = 32;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    // Nothing of ours was made before: a clock that says less has not been set yet, and calls every certificate too young.
    private static readonly DateTimeOffset ClockEarliest = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task<ClaimReply> ClaimAsync(ClaimingOptions order, TextWriter progress, CancellationToken cancellationToken)
    {
        if (order.Mistake() is { } mistake)
        {
            throw new ClaimRefusedException(mistake);
        }

        _ = ClaimCode.TryParse(order.Code, out var code);
        var file = System.IO.Path.GetFullPath(order.StationFile);
        var folder = System.IO.Path.GetDirectoryName(file)!;
        if (File.Exists(file) && !order.Force)
        {
            throw new ClaimRefusedException($"{file} is there already: this machine is a station. --force makes it another one and keeps the old file as {file}.before.");
        }

        // Before the code is spent: what would only be found wrong afterwards.
        if (order.Profile is { } wanted)
        {
            CheckProfile(order, file, ReadProfile(order, wanted));
        }

        Directory.CreateDirectory(folder);
        var pending = System.IO.Path.Combine(folder, StationFileText.SecretFile + ".claim");
        var secret = PendingSecret(pending, code!);
        var request = new ClaimRequest(code!, secret, order.Agent, machine.Read());
        var reply = await AskAsync(order, request, progress, cancellationToken).ConfigureAwait(false);

        var chosen = order.Profile ?? reply.Profile;
        string? profile = null;
        if (chosen is not null)
        {
            try
            {
                profile = ReadProfile(order, chosen);
            }
            catch (ClaimRefusedException e) when (order.Profile is null)
            {
                // The station is ours already; without its sensors it can at least be reached and given them from the hub.
                await progress.WriteLineAsync($"The profile '{chosen}' that the hub names is not on this machine: {e.Message} The station begins with none.").ConfigureAwait(false);
            }
        }

        if (reply.Authority is { } authority)
        {
            DurableFile.Replace(System.IO.Path.Combine(folder, StationFileText.AuthorityFile), Encoding.UTF8.GetBytes(authority));
        }

        if (File.Exists(file))
        {
            DurableFile.Replace(file + ".before", await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false));
        }

        var secretFile = System.IO.Path.Combine(folder, StationFileText.SecretFile);
        DurableFile.Replace(secretFile, Encoding.ASCII.GetBytes(secret + "\n"), DurableFile.Private);

        // The station file comes last but one: where it stands, everything it names stands too.
        DurableFile.Replace(file, Encoding.UTF8.GetBytes(StationFileText.Make(reply, profile)));
        DurableFile.Remove(pending);
        if (order.Check(file) is { Count: > 0 } mistakes)
        {
            throw new ClaimRefusedException($"This machine is {reply.Municipality}/{reply.Station} now, but its station file is not good yet. Mend it, then start the agent: {string.Join(" ", mistakes)}");
        }

        return reply;
    }

    /// <summary>The secret of a claim that was begun with this code, or a new one; on disk before anybody hears of it.</summary>
    private static string PendingSecret(string pending, string code)
    {
        try
        {
            if (File.Exists(pending) && File.ReadAllText(pending).Split('\n') is [var begun, var secret, ..] && begun == code && secret.Length >= 32)
            {
                return secret;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{pending} cannot be read: {e.Message} Run as the user who owns the folder.", e);
        }

        var made = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        DurableFile.Replace(pending, Encoding.ASCII.GetBytes($"{code}\n{made}\n"), DurableFile.Private);
        return made;
    }

    private static string ReadProfile(ClaimingOptions order, string profile)
    {
        // A name from the hub must not become a path of its choice.
        var isFile = order.Profile == profile && (profile.Contains('/', StringComparison.Ordinal) || profile.EndsWith(".yaml", StringComparison.Ordinal));
        if (!isFile && !Contract.Topics.HubTopic.IsSlug(profile))
        {
            throw new ClaimRefusedException($"'{profile}' is not the name of a profile.");
        }

        if (!isFile && order.ProfilesFolder is null)
        {
            throw new ClaimRefusedException($"no folder of profiles is known to look for '{profile}' in; give --profiles DIR.");
        }

        var file = isFile ? profile : System.IO.Path.Combine(order.ProfilesFolder!, profile + ".yaml");
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClaimRefusedException($"the profile {file} cannot be read: {e.Message}");
        }
    }

    /// <summary>Tries the profile with names as they will be, beside where the station file will stand, so that relative paths mean the same.</summary>
    private static void CheckProfile(ClaimingOptions order, string file, string profile)
    {
        var folder = System.IO.Path.GetDirectoryName(file)!;
        Directory.CreateDirectory(folder);
        var trial = System.IO.Path.Combine(folder, ".claim-check.yaml");
        try
        {
            // This machine needs neither TLS nor a secret file for the check: only the sensors are in question.
            var text = StationFileText.Make(new ClaimReply("municipality", "station", "Station", 0, 0, "127.0.0.1", 1883, false), profile)
                .Replace($", secretFile: {StationFileText.SecretFile}", ", secret: \"of a check\"", StringComparison.Ordinal);
            DurableFile.Replace(trial, Encoding.UTF8.GetBytes(text), DurableFile.Private);
            if (order.Check(trial) is { Count: > 0 } mistakes)
            {
                throw new ClaimRefusedException($"The profile {order.Profile} is not good; the code has not been used. {string.Join(" ", mistakes).Replace(trial, order.Profile, StringComparison.Ordinal)}");
            }
        }
        finally
        {
            DurableFile.Remove(trial);
        }
    }

    private async Task<ClaimReply> AskAsync(ClaimingOptions order, ClaimRequest request, TextWriter progress, CancellationToken cancellationToken)
    {
        using var client = Client(order);
        var began = time.GetTimestamp();
        var pause = TimeSpan.FromSeconds(2);
        while (true)
        {
            string problem;
            Exception? cause = null;
            TimeSpan? asked = null;
            try
            {
                using var limit = new CancellationTokenSource(AnswerPatience, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
                using var content = new ByteArrayContent(request.ToUtf8());
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var answer = await client.PostAsync(new Uri(Path, UriKind.Relative), content, either.Token).ConfigureAwait(false);
                var body = await answer.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
                if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created)
                {
                    return ClaimReply.TryRead(body, out var reply, out var wrong) && Contract.Topics.HubTopic.IsSlug(reply.Municipality) && Contract.Topics.HubTopic.IsSlug(reply.Station)
                        ? reply
                        : throw new ClaimRefusedException($"{order.Hub} answered with something else than a claimed station ({wrong ?? "its names are no slugs"}); is this the address of a hub?");
                }

                problem = Problem(answer, body);
                asked = answer.Headers.RetryAfter?.Delta;
                if (answer.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout) && (int)answer.StatusCode < 500)
                {
                    throw new ClaimRefusedException(answer.StatusCode == HttpStatusCode.NotFound
                        ? $"The hub does not take this code: it is mistyped, used, over, or {order.Hub} is another hub ({problem}). Ask the operator for a new one."
                        : $"The hub refused the claim ({problem}).");
                }
            }
            catch (HttpRequestException e)
            {
                if (Untrusted(e) is { } untrusted)
                {
                    throw new ClaimRefusedException(
                        $"The certificate of {order.Hub} is not accepted ({untrusted}). For an authority of one's own give --ca FILE; if this machine's clock is wrong, wait until it is set.");
                }

                (problem, cause) = (Innermost(e).Message.TrimEnd('.'), e);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                (problem, cause) = ("no answer in time", e);
            }

            var left = order.Patience - time.GetElapsedTime(began);
            var wait = asked is { } at && at > pause ? at : pause;
            if (wait > left)
            {
                throw new ClaimUnansweredException($"{order.Hub} could not be asked: {problem}. Nothing is lost: the same command goes on.", cause);
            }

            await progress.WriteLineAsync(FormattableString.Invariant($"{order.Hub} cannot be asked yet ({problem}); trying again in {wait.TotalSeconds:0} s.")).ConfigureAwait(false);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < PauseMax ? pause * 2 : PauseMax;
        }
    }

    private HttpClient Client(ClaimingOptions order)
    {
        // A redirect could lead the secret elsewhere.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = AnswerPatience };
        if (order.AuthorityFile is { } file)
        {
            var authorities = new X509Certificate2Collection();
            try
            {
                authorities.ImportFromPemFile(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new ClaimRefusedException($"--ca {file} cannot be read: {e.Message}");
            }

            if (authorities.Count == 0)
            {
                throw new ClaimRefusedException($"--ca {file} holds no certificate; give the authority's in PEM form.");
            }

            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            if (time.GetUtcNow() < ClockEarliest)
            {
                // Its authority and name must be right all the same.
                handler.SslOptions.RemoteCertificateValidationCallback = (_, _, chain, errors) => errors == SslPolicyErrors.None
                    || (errors == SslPolicyErrors.RemoteCertificateChainErrors && chain!.ChainStatus.All(status => status.Status == X509ChainStatusFlags.NotTimeValid));
            }
        }

        handler.SslOptions.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        return new HttpClient(handler) { BaseAddress = new Uri(order.Hub.TrimEnd('/') + "/"), Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = ClaimRequest.BytesMax };
    }

    /// <summary>What the hub says is wrong: the detail of a problem document, else the status.</summary>
    private static string Problem(HttpResponseMessage answer, byte[] body)
    {
        var status = FormattableString.Invariant($"status {(int)answer.StatusCode}");
        try
        {
            var reader = new Utf8JsonReader(body);
            return JsonElement.TryParseValue(ref reader, out var document) && document is { ValueKind: JsonValueKind.Object } problem
                && problem.TryGetProperty("detail", out var detail) && detail.ValueKind == JsonValueKind.String
                ? $"{status}: {detail.GetString()!.ReplaceLineEndings(" ")}"
                : status;
        }
        catch (JsonException)
        {
            return status;
        }
    }

    private static string? Untrusted(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException)
            {
                return Innermost(cause).Message.TrimEnd('.');
            }
        }

        return null;
    }

    private static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
        {
            e = inner;
        }

        return e;
    }
}
