using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Exceptions;
using MQTTnet.Server;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Listens for the embedded broker and makes each connection a <see cref="BrokerConnection"/>, those that come in by <see cref="WebSocketDoor"/> too: the library above only ever sees the
/// packets that one hands on.
/// </summary>
internal sealed class BrokerListener(MqttOptions options, ReadingsIntake intake, IngestInstruments instruments, TimeProvider time, ILogger logger) : IMqttServerAdapter
{
    private readonly List<Socket> _listeners = [];
    private readonly HashSet<Task> _running = [];
    private CancellationTokenSource? _stopping;
    private SslStreamCertificateContext? _certificate;
    private X509Certificate2Collection? _clientAuthorities;
    private int _connections;

    /// <inheritdoc/>
    public Func<IMqttChannelAdapter, Task> ClientHandler { get; set; } = null!;

    /// <summary>Where the listener without TLS really listens; null when there is none.</summary>
    public IPEndPoint? BoundEndpoint { get; private set; }

    /// <summary>Where the listener with TLS really listens; null when there is none.</summary>
    public IPEndPoint? BoundTlsEndpoint { get; private set; }

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => Volatile.Read(ref _connections);

    /// <summary>Whether connections are taken.</summary>
    public bool IsRunning => Volatile.Read(ref _stopping) is { IsCancellationRequested: false };

    /// <summary>Takes a connection in; false, and counted, when there are too many. Whoever is taken in leaves with <see cref="Leave"/>.</summary>
    public bool TryAdmit(string transport)
    {
        if (Interlocked.Increment(ref _connections) > options.ConnectionsMax)
        {
            Interlocked.Decrement(ref _connections);
            instruments.ConnectionRefused(transport, "connections");
            return false;
        }

        instruments.ConnectionOpened(transport);
        return true;
    }

    /// <summary>Notes that a connection taken in has ended.</summary>
    public void Leave(string transport)
    {
        Interlocked.Decrement(ref _connections);
        instruments.ConnectionClosed(transport);
    }

    /// <summary>Serves a connection that was taken in, to its end, and closes its stream. Whatever it does is told to the log, never to the caller.</summary>
    public Task ServeAsync(ConnectionWire wire)
    {
        var serving = ServeToTheEndAsync(wire);
        Track(serving);
        return serving;
    }

    /// <exception cref="BrokerStartException">An endpoint is taken or not ours, or the certificate cannot be read.</exception>
    public Task StartAsync(MqttServerOptions serverOptions, IMqttNetLogger libraryLogger)
    {
        _stopping = new CancellationTokenSource();
        try
        {
            if (options.Endpoint.Length > 0)
            {
                BoundEndpoint = Listen(options.Endpoint, "Hub:Mqtt:Endpoint", secure: false);
            }

            if (options.Tls.Endpoint.Length > 0)
            {
                _certificate = LoadCertificate(options.Tls);
                _clientAuthorities = options.Tls.ClientAuthorityFile.Length > 0 ? ClientCertificates.LoadAuthorities(options.Tls.ClientAuthorityFile) : null;
                BoundTlsEndpoint = Listen(options.Tls.Endpoint, "Hub:Mqtt:Tls:Endpoint", secure: true);
            }
        }
        catch
        {
            CloseListeners();
            throw;
        }

        return Task.CompletedTask;
    }

    /// <summary>Stops listening and ends what is still connected.</summary>
    public async Task StopAsync()
    {
        if (_stopping is null)
        {
            return;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        CloseListeners();
        Task[] running;
        lock (_running)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        _stopping.Dispose();
        _stopping = null;
    }

    public void Dispose() => CloseListeners();

    private void CloseListeners()
    {
        _listeners.ForEach(listener => listener.Dispose());
        _listeners.Clear();
    }

    private IPEndPoint Listen(string text, string key, bool secure)
    {
        if (!MqttOptionsValidator.TryEndpoint(text, out var endpoint))
        {
            throw new BrokerStartException($"{key} '{text}' is not an address and port.");
        }

        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endpoint);
            socket.Listen(512);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new BrokerStartException(
                exception.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"{key} {text}: the port is in use by another program; stop that, or choose another port."
                    : $"{key} {text}: cannot listen there ({exception.SocketErrorCode}).",
                exception);
        }

        _listeners.Add(socket);
        Track(AcceptAsync(socket, secure, _stopping!.Token));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static SslStreamCertificateContext LoadCertificate(MqttTlsOptions tls)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(tls.CertificateFile);
            var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception exception) when (exception is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BrokerStartException($"Hub:Mqtt:Tls:CertificateFile '{tls.CertificateFile}' and Hub:Mqtt:Tls:KeyFile '{tls.KeyFile}' cannot be used: {exception.Message}", exception);
        }
    }

    private async Task AcceptAsync(Socket listener, bool secure, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // One connection that broke while being accepted, or no file handle left: neither may end the listener.
                logger.AcceptFailed(exception);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            if (!TryAdmit(EmbeddedBroker.Transport))
            {
                socket.Dispose();
                continue;
            }

            Track(Task.Run(() => ServeAsync(socket, secure, stopping), CancellationToken.None));
        }
    }

    private async Task ServeAsync(Socket socket, bool secure, CancellationToken stopping)
    {
        try
        {
            socket.NoDelay = true;
            var (local, remote) = (socket.LocalEndPoint, socket.RemoteEndPoint);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            var identity = new ClientCertificates();
            if (secure)
            {
                stream = await HandshakeAsync(stream, identity, stopping).ConfigureAwait(false);
            }

            await ServeToTheEndAsync(new ConnectionWire(stream, EmbeddedBroker.Transport, secure, local, remote, identity)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // One connection, whatever it does, must not end the listener.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Note(exception);
        }
        finally
        {
            socket.Dispose();
            Leave(EmbeddedBroker.Transport);
        }
    }

    private async Task ServeToTheEndAsync(ConnectionWire wire)
    {
        try
        {
            using var connection = new BrokerConnection(wire, intake, time);
            if (ClientHandler is { } handler)
            {
                await handler(connection).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // One connection, whatever it does, must not end the listener.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Note(exception);
        }
        finally
        {
            await wire.Stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Note(Exception exception)
    {
        if (exception is not (OperationCanceledException or ObjectDisposedException or IOException or AuthenticationException or SocketException or MqttCommunicationException))
        {
            logger.ConnectionFailed(exception);
        }
    }

    private async Task<Stream> HandshakeAsync(Stream stream, ClientCertificates identity, CancellationToken stopping)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            using var timeout = new CancellationTokenSource(options.LoginTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
            var handshake = new SslServerAuthenticationOptions { ServerCertificateContext = _certificate, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
            if (_clientAuthorities is not null)
            {
                identity.AskFor(handshake, _clientAuthorities, time.GetUtcNow());
            }

            await tls.AuthenticateAsServerAsync(handshake, either.Token).ConfigureAwait(false);
            return tls;
        }
        catch
        {
            instruments.ConnectionRefused(EmbeddedBroker.Transport, "tls");
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private void Track(Task task)
    {
        lock (_running)
        {
            _running.Add(task);
        }

        _ = task.ContinueWith(
            done =>
            {
                lock (_running)
                {
                    _running.Remove(done);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}
