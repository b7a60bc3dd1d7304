using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Server;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Listens for the embedded broker and wraps each connection in a <see cref="BrokerConnection"/>. The place where a faster path for readings can be put in later: the
/// library above only ever sees packets.
/// </summary>
internal sealed class BrokerListener(MqttOptions options, IngestInstruments instruments, TimeProvider time, ILogger logger) : IMqttServerAdapter
{
    private readonly List<Socket> _listeners = [];
    private readonly HashSet<Task> _running = [];
    private CancellationTokenSource? _stopping;
    private SslServerAuthenticationOptions? _tls;
    private IMqttNetLogger _library = new MqttNetNullLogger();
    private int _connections;

    /// <inheritdoc/>
    public Func<IMqttChannelAdapter, Task> ClientHandler { get; set; } = null!;

    /// <summary>Where the listener without TLS really listens; null when there is none.</summary>
    public IPEndPoint? BoundEndpoint { get; private set; }

    /// <summary>Where the listener with TLS really listens; null when there is none.</summary>
    public IPEndPoint? BoundTlsEndpoint { get; private set; }

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => Volatile.Read(ref _connections);

    /// <exception cref="BrokerStartException">An endpoint is taken or not ours, or the certificate cannot be read.</exception>
    public Task StartAsync(MqttServerOptions serverOptions, IMqttNetLogger libraryLogger)
    {
        _library = libraryLogger;
        _stopping = new CancellationTokenSource();
        try
        {
            if (options.Endpoint.Length > 0)
            {
                BoundEndpoint = Listen(options.Endpoint, "Hub:Mqtt:Endpoint", secure: false);
            }

            if (options.Tls.Endpoint.Length > 0)
            {
                _tls = LoadCertificate(options.Tls);
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

    private static SslServerAuthenticationOptions LoadCertificate(MqttTlsOptions tls)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(tls.CertificateFile);
            var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            return new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            };
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

            if (Interlocked.Increment(ref _connections) > options.ConnectionsMax)
            {
                Interlocked.Decrement(ref _connections);
                instruments.ConnectionRefused("connections");
                socket.Dispose();
                continue;
            }

            instruments.ConnectionOpened();
            Track(Task.Run(() => ServeAsync(socket, secure, stopping), CancellationToken.None));
        }
    }

    private async Task ServeAsync(Socket socket, bool secure, CancellationToken stopping)
    {
        Stream? stream = null;
        try
        {
            socket.NoDelay = true;
            var (local, remote) = (socket.LocalEndPoint, socket.RemoteEndPoint);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (secure)
            {
                stream = await HandshakeAsync(stream, stopping).ConfigureAwait(false);
            }

            using var channel = new BrokerChannel(stream, local, remote, BrokerConnection.LoginPacketBytesMax);
            var packets = new MqttPacketFormatterAdapter(new MqttBufferWriter(4096, 65_535));
            using var adapter = new MqttChannelAdapter(channel, packets, _library) { AllowPacketFragmentation = false };
            using var connection = new BrokerConnection(adapter, channel);
            if (ClientHandler is { } handler)
            {
                await handler(connection).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // One connection, whatever it does, must not end the listener.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (exception is not (OperationCanceledException or ObjectDisposedException or IOException or AuthenticationException or SocketException or MqttCommunicationException))
            {
                logger.ConnectionFailed(exception);
            }
        }
        finally
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            socket.Dispose();
            Interlocked.Decrement(ref _connections);
            instruments.ConnectionClosed();
        }
    }

    private async Task<Stream> HandshakeAsync(Stream stream, CancellationToken stopping)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            using var timeout = new CancellationTokenSource(options.LoginTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
            await tls.AuthenticateAsServerAsync(_tls!, either.Token).ConfigureAwait(false);
            return tls;
        }
        catch
        {
            instruments.ConnectionRefused("tls");
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
