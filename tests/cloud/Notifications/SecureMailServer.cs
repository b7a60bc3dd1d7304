using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MimeKit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>
/// A mail server that speaks STARTTLS (RFC 3207), or TLS from the first byte, and wants AUTH PLAIN or LOGIN (RFC 4954) before it takes mail; as much of RFC 5321 as one
/// client needs. Counts logins; nobody@... is refused for good, relay@... for policy.
/// </summary>
internal sealed class SecureMailServer : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TcpListener _listener;
    private readonly X509Certificate2 _certificate;
    private readonly List<MimeMessage> _messages = [];
    private readonly List<string> _plain = [];
    private int _logins;
    private int _refusedLogins;

    public SecureMailServer(X509Certificate2 certificate, int port = 0)
    {
        _certificate = certificate;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string User { get; init; } = "hub";

    public string Password { get; init; } = "correct";

    /// <summary>TLS from the first byte instead of STARTTLS.</summary>
    public bool IsImplicit { get; init; }

    /// <summary>False for a server that has forgotten its certificate, or a machine in between that cuts STARTTLS out.</summary>
    public bool OffersStartTls { get; init; } = true;

    public int Logins => Volatile.Read(ref _logins);

    public int RefusedLogins => Volatile.Read(ref _refusedLogins);

    public IReadOnlyList<MimeMessage> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>The commands that came without TLS.</summary>
    public IReadOnlyList<string> PlainCommands
    {
        get
        {
            lock (_gate)
            {
                return [.. _plain];
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or SocketException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                var greet = true;
                if (IsImplicit)
                {
                    stream = await SecureAsync(stream);
                }

                while (await TalkAsync(stream, greet) && stream is not SslStream)
                {
                    (stream, greet) = (await SecureAsync(stream), false);
                }

                await stream.DisposeAsync();
            }
            catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // The client did not like our certificate, or left.
            }
        }
    }

    private async Task<SslStream> SecureAsync(Stream stream)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(_certificate);
        return secure;
    }

    /// <summary>One conversation; true when the client has asked for TLS and been told to begin.</summary>
    private async Task<bool> TalkAsync(Stream stream, bool greet)
    {
        var isSecure = stream is SslStream;
        var loggedIn = false;
        if (greet)
        {
            await SayAsync(stream, "220 mail.test ESMTP");
        }

        while (await LineAsync(stream) is { } line)
        {
            if (!isSecure)
            {
                lock (_gate)
                {
                    _plain.Add(line);
                }
            }

            var verb = line.Split(' ')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO":
                    await SayAsync(stream, "250-mail.test", isSecure ? "250-AUTH PLAIN LOGIN" : OffersStartTls ? "250-STARTTLS" : "250-8BITMIME", "250 ENHANCEDSTATUSCODES");
                    break;
                case "STARTTLS" when !isSecure && OffersStartTls:
                    await SayAsync(stream, "220 2.0.0 go ahead");
                    return true;
                case "AUTH" when isSecure:
                    loggedIn = await LoginAsync(stream, line.Split(' '));
                    await SayAsync(stream, loggedIn ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password");
                    break;
                case "MAIL" or "RCPT" or "DATA" when !loggedIn:
                    await SayAsync(stream, "530 5.7.0 login first");
                    break;
                case "RCPT" when line.Contains("nobody@", StringComparison.Ordinal):
                    await SayAsync(stream, "550 5.1.1 no such user");
                    break;
                case "RCPT" when line.Contains("relay@", StringComparison.Ordinal):
                    await SayAsync(stream, "550 5.7.1 relaying denied");
                    break;
                case "DATA":
                    await SayAsync(stream, "354 go on");
                    await KeepAsync(stream);
                    await SayAsync(stream, "250 2.0.0 taken");
                    break;
                case "QUIT":
                    await SayAsync(stream, "221 2.0.0 bye");
                    return false;
                default:
                    await SayAsync(stream, "250 2.0.0 ok");
                    break;
            }
        }

        return false;
    }

    private async Task<bool> LoginAsync(Stream stream, string[] words)
    {
        string[] said;
        if (words[1] == "PLAIN")
        {
            said = Decode(words.Length > 2 ? words[2] : await AskAsync(stream, "")).Split('\0')[1..];
        }
        else
        {
            said = [Decode(words.Length > 2 ? words[2] : await AskAsync(stream, "Username:")), Decode(await AskAsync(stream, "Password:"))];
        }

        var right = said is [var user, var password] && user == User && password == Password;
        Interlocked.Increment(ref right ? ref _logins : ref _refusedLogins);
        return right;
    }

    private static async Task<string> AskAsync(Stream stream, string what)
    {
        await SayAsync(stream, "334 " + Convert.ToBase64String(Encoding.UTF8.GetBytes(what)));
        return await LineAsync(stream) ?? "";
    }

    private static string Decode(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text));

    private async Task KeepAsync(Stream stream)
    {
        using var content = new MemoryStream();
        while (await LineAsync(stream) is { } line && line != ".")
        {
            content.Write(Encoding.Latin1.GetBytes((line.StartsWith('.') ? line[1..] : line) + "\r\n"));
        }

        content.Position = 0;
        lock (_gate)
        {
            _messages.Add(MimeMessage.Load(content));
        }
    }

    private static async Task SayAsync(Stream stream, params string[] lines)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n"));
        await stream.FlushAsync();
    }

    /// <summary>Byte for byte: what follows STARTTLS must not be swallowed by a reader's buffer.</summary>
    private static async Task<string?> LineAsync(Stream stream)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one) == 1)
        {
            if (one[0] == (byte)'\n')
            {
                return Encoding.Latin1.GetString([.. line]).TrimEnd('\r');
            }

            line.Add(one[0]);
        }

        return null;
    }
}
