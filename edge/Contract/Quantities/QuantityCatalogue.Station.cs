namespace Hub.Edge.Contract.Quantities;

// The station's own health.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Station() =>
    [
        new(new Quantity(
            "battery", "Tensão da bateria", "Battery voltage", "V", "V", 0, 60, AveragingRule.Mean,
            "Voltage at the station's battery or supply. Not a state of charge.",
            "RFC 8428, unit V")),
        new(new Quantity(
            "battery_level", "Carga da bateria", "Battery level", "/100", "%", 0, 100, AveragingRule.Mean,
            "Remaining charge as the station estimates it, in percent.",
            "RFC 8428, unit %EL")),
        new(new Quantity(
            "cpu_temperature", "Temperatura do processador", "CPU temperature", "Cel", "Cel", -40, 125, AveragingRule.Mean,
            "Temperature of the station's processor. Not the air's.",
            "Raspberry Pi documentation, thermal zone")),
        new(new Quantity(
            "link_quality", "Nível de sinal da ligação", "Link signal level", "dBm", "dB{mW}", -150, 0, AveragingRule.EnergyMean,
            "Received signal level of the station's radio link (4G, Wi-Fi, LoRa). Levels combine as power.",
            "RFC 8798, unit dBm")),
        new(new Quantity(
            "outbox_depth", "Leituras por enviar", "Readings waiting in the outbox", "count", "1", 0, 1_000_000_000, AveragingRule.Max,
            "Readings taken and not yet acknowledged by the hub. A large value after an outage is a backlog, not a fault.",
            "Hub station agent")),
        new(new Quantity(
            "uptime", "Tempo em funcionamento", "Uptime", "s", "s", 0, 4_000_000_000, AveragingRule.Max,
            "Seconds since the agent started.",
            "Hub station agent")),
    ];
}
