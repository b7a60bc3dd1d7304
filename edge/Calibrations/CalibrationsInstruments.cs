using System.Diagnostics.Metrics;

namespace Hub.Edge.Calibrations;

/// <summary>Counters of Calibrations; meter <c>Hub.Edge.Calibrations</c>.</summary>
internal sealed class CalibrationsInstruments : IDisposable
{
    private readonly Meter meter = new("Hub.Edge.Calibrations");
    private int inForce;
    private int damaged;

    public CalibrationsInstruments()
    {
        meter.CreateObservableGauge("hub.calibrations.in_force", () => Volatile.Read(ref inForce), "{calibration}", "Quantities of sensors that are calibrated now.");
        meter.CreateObservableGauge("hub.calibrations.damaged", () => Volatile.Read(ref damaged), "{file}", "Files of the journal that cannot be used.");
    }

    public void Read(int inForceNow, int damagedNow)
    {
        Volatile.Write(ref inForce, inForceNow);
        Volatile.Write(ref damaged, damagedNow);
    }

    public void Dispose() => meter.Dispose();
}
