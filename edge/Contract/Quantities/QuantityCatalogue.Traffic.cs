namespace Hub.Edge.Contract.Quantities;

// Traffic: counts, speeds, headways. A count stands for its period: a silent lane and a silent counter differ in coverage.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Traffic() =>
    [
        new(new Quantity(
            "vehicle_count", "Contagem de veículos", "Vehicle count", "count", "1", 0, 200_000, AveragingRule.Sum,
            "Motor vehicles of all classes that passed within the period. Not a flow: divide by the period for vehicles per hour.",
            "TLS 8+1 (2012); FHWA 13 classes")),
        new(new Quantity(
            "vehicle_count_motorcycle", "Contagem de motociclos", "Motorcycle count", "count", "1", 0, 50_000, AveragingRule.Sum,
            "Motorcycles and mopeds that passed within the period.",
            "TLS 8+1 (2012), class Krad")),
        new(new Quantity(
            "vehicle_count_car", "Contagem de ligeiros de passageiros", "Car count", "count", "1", 0, 200_000, AveragingRule.Sum,
            "Passenger cars, with or without trailer, that passed within the period. Counters that tell by length include small vans.",
            "TLS 8+1 (2012), classes Pkw, PkwA")),
        new(new Quantity(
            "vehicle_count_van", "Contagem de ligeiros de mercadorias", "Van count", "count", "1", 0, 100_000, AveragingRule.Sum,
            "Vans up to 3.5 t that passed within the period.",
            "TLS 8+1 (2012), class Lfw")),
        new(new Quantity(
            "vehicle_count_heavy", "Contagem de pesados", "Heavy vehicle count", "count", "1", 0, 100_000, AveragingRule.Sum,
            "Lorries above 3.5 t, lorries with trailer and articulated lorries that passed within the period. Buses only where the counter cannot tell them.",
            "TLS 8+1 (2012), classes Lkw, LkwA, Sattel-Kfz")),
        new(new Quantity(
            "vehicle_count_bus", "Contagem de autocarros", "Bus count", "count", "1", 0, 20_000, AveragingRule.Sum,
            "Buses and coaches that passed within the period.",
            "TLS 8+1 (2012), class Bus")),
        new(new Quantity(
            "vehicle_count_unclassified", "Contagem de veículos não classificados", "Unclassified vehicle count", "count", "1", 0, 100_000, AveragingRule.Sum,
            "Vehicles that passed within the period and could not be classified.",
            "TLS 8+1 (2012), class nk")),
        new(new Quantity(
            "vehicle_count_short", "Contagem de veículos curtos", "Short vehicle count", "count", "1", 0, 200_000, AveragingRule.Sum,
            "Vehicles shorter than the first cut of their counter (6 m unless set otherwise) that passed within the period. A class by length alone: cars, vans, motorcycles.",
            "Classes by length; cuts are settings of the counter")),
        new(new Quantity(
            "vehicle_count_medium", "Contagem de veículos médios", "Medium-length vehicle count", "count", "1", 0, 100_000, AveragingRule.Sum,
            "Vehicles between the two cuts of their counter (6 m and 12 m unless set otherwise) that passed within the period. A class by length alone: most lorries, small buses, cars with trailer.",
            "Classes by length; cuts are settings of the counter")),
        new(new Quantity(
            "vehicle_count_long", "Contagem de veículos longos", "Long vehicle count", "count", "1", 0, 100_000, AveragingRule.Sum,
            "Vehicles from the second cut of their counter upwards (12 m unless set otherwise) that passed within the period. A class by length alone: articulated lorries, lorries with trailer, long buses.",
            "Classes by length; cuts are settings of the counter")),
        new(new Quantity(
            "bicycle_count", "Contagem de bicicletas", "Bicycle count", "count", "1", 0, 50_000, AveragingRule.Sum,
            "Bicycles that passed within the period. Not part of vehicle_count.",
            "Telraam S2 data description")),
        new(new Quantity(
            "pedestrian_count", "Contagem de peões", "Pedestrian count", "count", "1", 0, 200_000, AveragingRule.Sum,
            "Pedestrians that passed within the period. Passages, not persons.",
            "Telraam S2 data description")),
        new(new Quantity(
            "mean_speed", "Velocidade média", "Mean speed (time mean)", "km/h", "km/h", 0, 250, AveragingRule.Mean,
            "Arithmetic mean of the spot speeds within the period (time mean speed). Not for flow = density x speed; to combine periods well, weight by vehicle_count.",
            "Traffic flow theory: time mean and space mean speed")),
        new(new Quantity(
            "space_mean_speed", "Velocidade média no espaço", "Space mean speed", "km/h", "km/h", 0, 250, AveragingRule.Mean,
            "Harmonic mean of the spot speeds, or segment length over mean travel time, within the period. Never above the time mean speed.",
            "Traffic flow theory: time mean and space mean speed")),
        new(new Quantity(
            "v85", "Velocidade V85", "V85 speed", "km/h", "km/h", 0, 250, AveragingRule.None,
            "Speed that 85 % of the single vehicles do not exceed within the period. Not a percentile of means, and cannot be combined from shorter periods.",
            "85th percentile speed, spot speed study")),
        new(new Quantity(
            "occupancy", "Ocupação", "Occupancy", "/100", "%", 0, 100, AveragingRule.Mean,
            "Share of the time the detector is covered, in percent. Not density, which also needs the vehicle lengths.",
            "Induction loop detectors, traffic flow theory")),
        new(new Quantity(
            "headway", "Intervalo entre veículos", "Headway", "s", "s", 0, 86_400, AveragingRule.Mean,
            "Mean time between the fronts of successive vehicles within the period. Not the gap between rear and front.",
            "Traffic flow theory: mean headway is 3600 / flow")),
        new(new Quantity(
            "travel_time", "Tempo de percurso", "Travel time", "s", "s", 0, 86_400, AveragingRule.Mean,
            "Mean time vehicles took over a road segment within the period. Comparable only on the same segment.",
            "City of Aarhus travel-time data description")),
    ];
}
