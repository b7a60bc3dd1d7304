namespace Hub.Edge.Contract.Quantities;

// The station's own health.
public static partial class QuantityCatalogue
{
    /// <summary>How the station fares: of interest today, not for days. What tells afterwards why a station failed (battery, supply, undervoltage) is kept as all else is.</summary>
    private static TimeSpan Live => TimeSpan.FromDays(1);

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
            "Raspberry Pi documentation, thermal zone") { LiveFor = Live }),
        new(new Quantity(
            "link_quality", "Nível de sinal da ligação", "Link signal level", "dBm", "dB{mW}", -150, 0, AveragingRule.EnergyMean,
            "Received signal level of the station's radio link (4G, Wi-Fi, LoRa). Levels combine as power.",
            "RFC 8798, unit dBm") { LiveFor = Live }),
        new(new Quantity(
            "outbox_depth", "Leituras por enviar", "Readings waiting in the outbox", "count", "1", 0, 1_000_000_000, AveragingRule.Max,
            "Readings taken and not yet acknowledged by the hub. A large value after an outage is a backlog, not a fault.",
            "Hub station agent") { LiveFor = Live }),
        new(new Quantity(
            "uptime", "Tempo em funcionamento", "Uptime", "s", "s", 0, 4_000_000_000, AveragingRule.Max,
            "Seconds since the agent started.",
            "Hub station agent") { LiveFor = Live }),
        new(new Quantity(
            "supply_current", "Corrente de alimentação", "Supply current", "A", "A", -100, 100, AveragingRule.Mean,
            "Current at the station's battery, solar panel or supply, positive as its shunt is wired. The sensor's name says which it is.",
            "Texas Instruments INA219 data sheet")),
        new(new Quantity(
            "supply_power", "Potência de alimentação", "Supply power", "W", "W", -5000, 5000, AveragingRule.Mean,
            "Power at the station's battery, solar panel or supply, with the sign of the current. Not an energy.",
            "Texas Instruments INA219 data sheet")),
        new(new Quantity(
            "undervoltage", "Subtensão", "Undervoltage", "/100", "%", 0, 100, AveragingRule.Mean,
            "Share of the period in which the board found its supply too low (4.63 V on a Raspberry Pi), in percent of its looks. Not the depth of the dip.",
            "Raspberry Pi documentation, get_throttled bit 0")),
        new(new Quantity(
            "throttled", "Redução de velocidade do processador", "Processor throttling", "/100", "%", 0, 100, AveragingRule.Mean,
            "Share of the period in which the board ran slower than asked, for low supply or heat, in percent of its looks.",
            "Raspberry Pi documentation, get_throttled bits 1 to 3") { LiveFor = Live }),
        new(new Quantity(
            "disk_free", "Espaço livre em disco", "Free disk space", "/100", "%", 0, 100, AveragingRule.Mean,
            "Share of the file system of the station's data that an ordinary program may still fill, in percent.",
            "POSIX statvfs") { LiveFor = Live }),
        new(new Quantity(
            "disk_wear", "Desgaste do disco", "Disk wear", "/100", "%", 0, 110, AveragingRule.Max,
            "Share of its life that the card or eMMC says it has used up, in steps of ten percent; 110 is beyond the estimate. Cards that do not say it are not reported.",
            "JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST") { LiveFor = Live }),
        new(new Quantity(
            "clock_state", "Estado do relógio", "Clock state", "count", "1", 0, 3, AveragingRule.Min,
            "What holds the station's clock: 0 nothing yet, 1 an answer of the hub, 2 the machine's own clock, believed without NTP, 3 NTP. Not how exact it is.",
            "Hub station agent; Linux adjtimex(2), STA_UNSYNC") { LiveFor = Live }),
        new(new Quantity(
            "clock_sync_age", "Tempo desde o acerto do relógio", "Time since the clock was set right", "s", "s", 0, 4_000_000_000, AveragingRule.Max,
            "Seconds since what holds the station's clock last confirmed it; 0 while NTP does. Not an error: a clock drifts by some seconds a day without.",
            "Hub station agent; Linux adjtimex(2)") { LiveFor = Live }),
        new(new Quantity(
            "clock_step", "Salto do relógio", "Clock step", "s", "s", -4_000_000_000, 4_000_000_000, AveragingRule.Sum,
            "Steps of more than a second of what holds the station's clock, in the period, added up, forward positive; only reported when there were any. Slewing is none.",
            "Hub station agent; RFC 5905, clause 11.3")),
    ];
}
