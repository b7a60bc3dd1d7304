namespace Hub.Edge.Contract.Quantities;

// Air quality: particle mass and number, gases.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Air() =>
    [
        new(new Quantity(
            "pm1", "Partículas PM1", "PM1 particles", "ug/m3", "ug/m3", -50, 2000, AveragingRule.Mean,
            "Mass concentration of particles up to 1 um, at ambient conditions. Not a regulated pollutant; optical counters infer mass from counts. Small negative values are true noise around zero.",
            "Sensor class as in SPS30, PMS5003 data sheets; no limit value in Directive (EU) 2024/2881")),
        new(new Quantity(
            "pm2_5", "Partículas PM2,5", "PM2.5 particles", "ug/m3", "ug/m3", -50, 2000, AveragingRule.Mean,
            "Mass concentration of particles up to 2.5 um, at ambient conditions (not converted to a standard temperature). Not a gravimetric reference value unless the sensor is one. Small negative values are true noise around zero.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "pm4", "Partículas PM4", "PM4 particles", "ug/m3", "ug/m3", -50, 2000, AveragingRule.Mean,
            "Mass concentration of particles up to 4 um. Not a regulated pollutant outdoors; most optical sensors extrapolate it from smaller sizes.",
            "Sensirion SPS30 data sheet")),
        new(new Quantity(
            "pm10", "Partículas PM10", "PM10 particles", "ug/m3", "ug/m3", -50, 2000, AveragingRule.Mean,
            "Mass concentration of particles up to 10 um, at ambient conditions (not converted to a standard temperature). Not a gravimetric reference value unless the sensor is one. Small negative values are true noise around zero.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "no2", "Dióxido de azoto (NO2)", "Nitrogen dioxide (NO2)", "ug/m3", "ug/m3", -50, 2000, AveragingRule.Mean,
            "Mass concentration of nitrogen dioxide at 20 Cel and 101.3 kPa. Not a mixing ratio: 1 ppb is 1.9125 ug/m3, and the conversion is the sender's. Small negative values are true noise around zero.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "no", "Monóxido de azoto (NO)", "Nitrogen monoxide (NO)", "ug/m3", "ug/m3", -50, 3000, AveragingRule.Mean,
            "Mass concentration of nitrogen monoxide at 20 Cel and 101.3 kPa. Not NO2: 1 ppb is 1.2474 ug/m3. Small negative values are true noise around zero.",
            "Directive (EU) 2024/2881, Annex I (gas volumes)")),
        new(new Quantity(
            "nox", "Óxidos de azoto (NOx)", "Nitrogen oxides (NOx)", "ug/m3", "ug/m3", -50, 5000, AveragingRule.Mean,
            "Sum of NO and NO2 as NO2 equivalents at 20 Cel and 101.3 kPa: (NO ppb + NO2 ppb) x 1.9125. Not the sum of the two mass concentrations.",
            "Directive (EU) 2024/2881; NOx is stated as NO2 equivalents")),
        new(new Quantity(
            "o3", "Ozono (O3)", "Ozone (O3)", "ug/m3", "ug/m3", -50, 1000, AveragingRule.Mean,
            "Mass concentration of ozone at 20 Cel and 101.3 kPa; 1 ppb is 1.9953 ug/m3. Not the 8 h mean that limit values speak of.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "so2", "Dióxido de enxofre (SO2)", "Sulphur dioxide (SO2)", "ug/m3", "ug/m3", -50, 3000, AveragingRule.Mean,
            "Mass concentration of sulphur dioxide at 20 Cel and 101.3 kPa; 1 ppb is 2.6633 ug/m3.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "co", "Monóxido de carbono (CO)", "Carbon monoxide (CO)", "mg/m3", "mg/m3", -2, 150, AveragingRule.Mean,
            "Mass concentration of carbon monoxide at 20 Cel and 101.3 kPa, in milligrams (1000 ug); 1 ppm is 1.1644 mg/m3.",
            "Directive (EU) 2024/2881, Annex I")),
        new(new Quantity(
            "co2", "Dióxido de carbono (CO2)", "Carbon dioxide (CO2)", "ppm", "[ppm]", 300, 40_000, AveragingRule.Mean,
            "Mole fraction of carbon dioxide. Not a pollutant limit; outdoors it mainly tells whether the sensor is well (about 420 ppm).",
            "Sensirion SCD4x data sheet")),
        new(new Quantity(
            "particle_number", "Número de partículas", "Particle number", "1/cm3", "/cm3", 0, 1_000_000, AveragingRule.Mean,
            "Number of particles in a cubic centimetre of air. Says nothing about mass, and only counts the sizes its instrument sees.",
            "Condensation particle counters, as in official monitoring stations")),
    ];
}
