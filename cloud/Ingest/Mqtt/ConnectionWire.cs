using System.Net;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>What carries the bytes of one connection.</summary>
/// <param name="Stream">The bytes, both ways; belongs to the connection.</param>
/// <param name="Transport">Its name in counters and in the quarantine: <see cref="EmbeddedBroker.Transport"/> or <see cref="WebSocketDoor.Transport"/>.</param>
/// <param name="IsSecure">Whether it is TLS, as far as the hub can see: a proxy may have taken it off.</param>
/// <param name="Local">This side; null when unknown.</param>
/// <param name="Remote">The other side, or the proxy before it; null when unknown.</param>
/// <param name="Certificate">What the client's certificate proves.</param>
internal sealed record ConnectionWire(Stream Stream, string Transport, bool IsSecure, EndPoint? Local, EndPoint? Remote, ClientCertificates Certificate);
