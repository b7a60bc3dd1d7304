using Hub.Edge.Thresholds;
using Hub.Edge.Uplink;

namespace Hub.Edge.Agent;

/// <summary>Tells Thresholds whether the hub is there.</summary>
internal sealed class UplinkLink(IUplink uplink) : IHubLink
{
    public bool IsConnected => uplink.State.Connected;
}
