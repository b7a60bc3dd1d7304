namespace Hub.Edge.Contract.Quantities;

// Weather.
public static partial class QuantityCatalogue
{
    private static CatalogueEntry[] Weather() =>
    [
        new(new Quantity(
            "temperature", "Temperatura do ar", "Air temperature", "Cel", "Cel", -40, 60, AveragingRule.Mean,
            "Temperature of the air at the sensor. In a housing warmed by the sun or by the electronics it is not the official air temperature.",
            "Bosch BME280 data sheet")),
        new(new Quantity(
            "relative_humidity", "Humidade relativa", "Relative humidity", "%RH", "%", 0, 100, AveragingRule.Mean,
            "Relative humidity of the air at the sensor, 0 to 100. Optical particle values taken above about 85 %RH are suspect.",
            "Bosch BME280 data sheet")),
        new(new Quantity(
            "pressure", "Pressão atmosférica", "Air pressure", "hPa", "hPa", 800, 1100, AveragingRule.Mean,
            "Air pressure at the station's height. Not reduced to sea level.",
            "Bosch BME280 data sheet")),
        new(new Quantity(
            "rain", "Precipitação", "Rain", "mm", "mm", 0, 500, AveragingRule.Sum,
            "Height of rain fallen within the period. Not an intensity (mm/h).",
            "WMO-No. 8")),
        new(new Quantity(
            "rain_duration", "Duração da chuva", "Rain duration", "min", "min", 0, 1440, AveragingRule.Sum,
            "Minutes with rain within the period. Says nothing about how much.",
            "WMO-No. 8")),
        new(new Quantity(
            "wind_speed", "Velocidade do vento", "Wind speed", "m/s", "m/s", 0, 75, AveragingRule.Mean,
            "Mean wind speed over the period, scalar. Not a gust, and in a street canyon not the wind above the roofs.",
            "WMO-No. 8")),
        new(new Quantity(
            "wind_gust", "Rajada de vento", "Wind gust", "m/s", "m/s", 0, 100, AveragingRule.Max,
            "Largest mean over three seconds of the wind speed within the period. Not the mean wind.",
            "WMO-No. 8: gust of 3 s")),
        new(new Quantity(
            "wind_direction", "Direção do vento", "Wind direction", "deg", "deg", 0, 360, AveragingRule.CircularMean,
            "Direction the wind comes from, clockwise from true north, 0 to 360. Circular: 359 and 1 average to 0, never to 180.",
            "WMO-No. 8")),
        new(new Quantity(
            "solar_radiation", "Radiação solar global", "Global solar radiation", "W/m2", "W/m2", -10, 1600, AveragingRule.Mean,
            "Global irradiance on a horizontal plane. Slightly negative at night is the instrument's offset.",
            "WMO-No. 8")),
    ];
}
