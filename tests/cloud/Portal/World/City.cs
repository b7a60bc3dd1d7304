using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Three municipalities with four stations each and a day of values made by formula; deterministic for a given instant.</summary>
internal sealed class City
{
    public static readonly Quantity Pm25 = Of("pm2_5");
    public static readonly Quantity Pm10 = Of("pm10");
    public static readonly Quantity No2 = Of("no2");
    public static readonly Quantity O3 = Of("o3");
    public static readonly Quantity Laeq = Of("laeq");
    public static readonly Quantity Vehicles = Of("vehicle_count");
    public static readonly Quantity Speed = Of("mean_speed");
    public static readonly Quantity Temperature = Of("temperature");
    public static readonly Quantity Battery = Of("battery");

    public const string ZurichSource = "Zürich Stampfenbachstrasse 2017, Ostluft (CC0 1.0)";
    public const string Zurich = "Replay: " + ZurichSource;
    public const string Aarhus = "Replay: Østjyske Motorvej, Aarhus 2014, City of Aarhus / CityPulse (CC BY 4.0)";
    public const string Neighbours = "openSenseMap contributors (PDDL 1.0)";

    public City(DateTime now)
    {
        Now = now;
        Municipalities = new([
            new("aveiro", "Aveiro", "Centro", "0105", 40.6405, -8.6538, "Europe/Lisbon"),
            new("braga", "Braga", "Norte", "0303", 41.5503, -8.4229, "Europe/Lisbon"),
            new("evora", "Évora", "Alentejo", "0705", 38.5714, -7.9077, "Europe/Lisbon"),
        ]);
        Fill("aveiro",
            ("ponte-praca", "Ponte-Praça", 40.6409, -8.6533, Air, Zurich), ("estacao", "Estação de Comboios", 40.6435, -8.6406, Traffic, Aarhus),
            ("universidade", "Universidade, Rua da Pega", 40.6325, -8.6600, Noise, ""), ("alboi", "Jardim do Alboi", 40.6387, -8.6563, Air, Zurich));
        Fill("braga",
            ("avenida-central", "Avenida Central", 41.5518, -8.4220, Air, Zurich), ("rodovia", "Avenida João XXI (Rodovia)", 41.5470, -8.4115, Traffic, Aarhus),
            ("se", "Largo da Sé", 41.5499, -8.4268, Noise, ""), ("ponte", "Parque da Ponte", 41.5413, -8.4190, Air, Neighbours));
        Fill("evora",
            ("giraldo", "Praça do Giraldo", 38.5710, -7.9093, Noise, ""), ("templo", "Templo Romano", 38.5725, -7.9073, Air, Zurich),
            ("circular", "Estrada da Circunvalação", 38.5665, -7.9010, Traffic, Aarhus), ("aqueduto", "Aqueduto da Água de Prata", 38.5775, -7.9125, Air, Zurich));
        Private = Stations.Add(new(0, "braga", "oficina", "Oficina municipal", 41.5560, -8.4060, Public: false, ""));
        Append(Stations.Add(Private, "sds011-1", Pm25, TimeSpan.FromMinutes(1)), t => 9 + t % 3, TimeSpan.FromMinutes(1), TimeSpan.Zero);

        Alerts.AllRules.AddRange([
            new("braga", "pm25-alto", "Partículas finas elevadas", "High fine particles", Severity.Warning, "pm2_5", null, null, null, Crossing.Above, 25, 20, TimeSpan.FromMinutes(10)),
            new("evora", "noite-ruidosa", "Noite ruidosa", "Noisy night", Severity.Alert, "laeq", null, null, null, Crossing.Above, 65, 60, TimeSpan.FromMinutes(15)),
            new("aveiro", "no2-alto", "Dióxido de azoto elevado", "High nitrogen dioxide", Severity.Information, "no2", null, null, null, Crossing.Above, 60, 50, TimeSpan.Zero),
        ]);
        Alerts.All.AddRange([
            Episode("a1", "braga", "pm25-alto", "avenida-central", Pm25, Severity.Warning, hoursAgo: 2.4, lasted: null, 26.1, 38.4, 31.2),
            Episode("a2", "evora", "noite-ruidosa", "giraldo", Laeq, Severity.Alert, hoursAgo: 0.4, lasted: null, 65.8, 71.3, 68.9),
            Episode("a3", "aveiro", "no2-alto", "ponte-praca", No2, Severity.Information, hoursAgo: 9, lasted: 1.2, 61, 74.5, 49),
            Episode("a4", "braga", "pm25-alto", "ponte", Pm25, Severity.Warning, hoursAgo: 30, lasted: 0.75, 25.2, 29.9, 19) with { Past = true },
            Episode("a5", "evora", "noite-ruidosa", "giraldo", Laeq, Severity.Alert, hoursAgo: 52, lasted: 2, 66, 69, 58) with { Withdrawn = true },
            Episode("a6", "braga", "pm25-alto", "oficina", Pm25, Severity.Alert, hoursAgo: 1, lasted: null, 26.1, 38.4, 31.2),
        ]);
    }

    public DateTime Now { get; }

    public FakeMunicipalities Municipalities { get; private init; }

    /// <summary>A hub just installed: nothing in it yet.</summary>
    public bool Empty
    {
        init
        {
            if (value)
            {
                Municipalities = new([]);
                Stations = new();
                Alerts = new();
            }
        }
    }

    public FakeStations Stations { get; private init; } = new();

    public MemorySeries Series { get; } = new();

    public FakeAlerts Alerts { get; private init; } = new();

    /// <summary>A station of Braga that is not public.</summary>
    public Station Private { get; }

    public Datastream Datastream(string municipality, string station, Quantity quantity)
    {
        Assert.True(Stations.TryGet(municipality, station, out var found));
        return Stations.DatastreamsOf(found.Id).First(one => one.Quantity.Id == quantity.Id);
    }

    private enum Kind
    {
        AirKind,
        TrafficKind,
        NoiseKind,
    }

    private const Kind Air = Kind.AirKind;
    private const Kind Traffic = Kind.TrafficKind;
    private const Kind Noise = Kind.NoiseKind;

    private void Fill(string municipality, params (string Slug, string Name, double Latitude, double Longitude, Kind Kind, string Attribution)[] places)
    {
        foreach (var (slug, name, latitude, longitude, kind, attribution) in places)
        {
            var station = Stations.Add(new(0, municipality, slug, name, latitude, longitude, Public: true, attribution));
            var seed = station.Id;
            var minute = TimeSpan.FromMinutes(1);
            var quarter = TimeSpan.FromMinutes(15);
            // Parque da Ponte is late, the aqueduct silent.
            var late = slug switch
            {
                "ponte" => TimeSpan.FromHours(3.2),
                "aqueduto" => TimeSpan.FromDays(3),
                _ => TimeSpan.Zero,
            };
            switch (kind)
            {
                case Air:
                    Append(Stations.Add(station, "sds011-1", Pm10, minute), t => 24 + 12 * Wave(t, seed) + Jitter(t, seed) * 3, minute, late);
                    Append(Stations.Add(station, "sds011-1", Pm25, minute), t => Math.Max(1, 14 + 14 * Wave(t, seed + 1) + Jitter(t, seed + 1) * 3), minute, late, slug == "avenida-central" ? Quality.SuspectHumidity : Quality.Good);
                    Append(Stations.Add(station, "no2-a43f", No2, TimeSpan.FromMinutes(30)), t => Math.Max(2, 28 + 22 * Wave(t, seed + 2) + Jitter(t, seed + 2) * 4), TimeSpan.FromMinutes(30), late);
                    Append(Stations.Add(station, "o3-b4", O3, TimeSpan.FromMinutes(30)), t => 60 - 25 * Wave(t, seed + 2) + Jitter(t, seed) * 4, TimeSpan.FromMinutes(30), late);
                    Append(Stations.Add(station, "bme280-1", Temperature, TimeSpan.Zero), t => 14 + 5 * Wave(t, 40) + Jitter(t, seed) * 0.4, TimeSpan.FromMinutes(5), late);
                    break;
                case Traffic:
                    Append(Stations.Add(station, "telraam-1", Vehicles, quarter), t => Math.Round(Math.Max(0, 140 + 120 * Wave(t, 10) + Jitter(t, seed) * 25)), quarter, late);
                    Append(Stations.Add(station, "telraam-1", Speed, quarter), t => 41 - 8 * Wave(t, 10) + Jitter(t, seed) * 3, quarter, late);
                    break;
                default:
                    Append(Stations.Add(station, "slm-1", Laeq, minute), t => 58 + 9 * Wave(t, 20) + Jitter(t, seed) * 4, minute, late);
                    break;
            }

            Append(Stations.Add(station, "pi", Battery, TimeSpan.Zero), t => 3.9 + 0.2 * Wave(t, 5), TimeSpan.FromMinutes(5), late);
        }
    }

    /// <summary>A day of values up to now, with two hours missing and, if asked, flagged values around their end.</summary>
    private void Append(Datastream datastream, Func<double, double> value, TimeSpan step, TimeSpan late, Quality flag = Quality.Good)
    {
        List<Observation> all = [];
        var period = datastream.Period;
        var end = new DateTime((Now - late - period).Ticks / step.Ticks * step.Ticks, DateTimeKind.Utc);
        for (var at = end - TimeSpan.FromHours(24); at <= end; at += step)
        {
            var hoursAgo = (end - at).TotalHours;
            if (hoursAgo is > 14 and < 16)
            {
                continue;
            }

            var hour = at.TimeOfDay.TotalHours;
            all.Add(new(datastream.Id, at, Math.Round(value(hour), 2), hoursAgo is > 13 and < 13.6 ? flag : Quality.Good));
        }

        Series.AppendAsync(all.ToArray(), CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    private static double Wave(double hour, int seed) => 0.6 * Math.Sin((hour - 7 + seed % 3) * Math.PI / 6) + 0.4 * Math.Sin((hour + seed) * Math.PI / 3.7);

    private static double Jitter(double hour, int seed) => Math.Sin(hour * 137.13 + seed * 7.7) * Math.Sin(hour * 61.7 + seed);

    /// <summary>An alarm of Braga that begins now.</summary>
    public Alarm Fresh(string id) => Episode(id, "braga", "pm25-alto", "avenida-central", Pm25, Severity.Alert, hoursAgo: 0, lasted: null, 26.1, 38.4, 31.2);

    private Alarm Episode(string id, string municipality, string rule, string station, Quantity quantity, Severity severity, double hoursAgo, double? lasted, double start, double peak, double last)
    {
        var began = Now - TimeSpan.FromHours(hoursAgo);
        return new(
            id, municipality, rule, station, Datastream(municipality, station, quantity).Id, severity, began - TimeSpan.FromMinutes(10), began,
            lasted is { } hours ? began + TimeSpan.FromHours(hours) : null, start, peak, last, began, Past: false, Withdrawn: false);
    }

    private static Quantity Of(string id) => QuantityCatalogue.TryGet(id, out var found) ? found : throw new InvalidOperationException($"The catalogue has no {id}.");
}
