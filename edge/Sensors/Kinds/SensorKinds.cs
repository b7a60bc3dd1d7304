using Hub.Edge.Sensors.Air.AlphasenseB4;
using Hub.Edge.Sensors.Air.Pms5003;
using Hub.Edge.Sensors.Air.Scd41;
using Hub.Edge.Sensors.Air.Sds011;
using Hub.Edge.Sensors.Air.Sps30;
using Hub.Edge.Sensors.Noise.Dnms;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;
using Hub.Edge.Sensors.Station.Board;
using Hub.Edge.Sensors.Station.Ina219;
using Hub.Edge.Sensors.Traffic.HcSr04;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Loops;
using Hub.Edge.Sensors.Traffic.Ops243;
using Hub.Edge.Sensors.Weather.Anemometer;
using Hub.Edge.Sensors.Weather.Bme280;
using Hub.Edge.Sensors.Weather.RainGauge;

namespace Hub.Edge.Sensors.Kinds;

/// <summary>Every kind of sensor there is, in the order of the documentation.</summary>
internal static class SensorKinds
{
    /// <summary>The kinds.</summary>
    public static IReadOnlyList<SensorKind> All { get; } =
    [
        new ReplayKind(),
        new SimulatedKind(),
        new Sps30Kind(),
        new Sds011Kind(),
        new Pms5003Kind(),
        new Scd41Kind(),
        new AlphasenseB4Kind(),
        new Bme280Kind(),
        new MicrophoneKind(),
        new DnmsKind(),
        new RainGaugeKind(),
        new AnemometerKind(),
        new Ops243Kind(),
        new LoopsKind(),
        new TfKind(),
        new HcSr04Kind(),
        new BoardKind(),
        new Ina219Kind(),
    ];

    /// <summary>The kind with a name, or null.</summary>
    public static SensorKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);
}
