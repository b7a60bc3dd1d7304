using System.Globalization;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary>What an installer asks on the ladder: what is wired to this machine, and does this sensor measure.</summary>
internal static class SensorCommands
{
    /// <summary>Lists what is on the buses, what to write into the station file for it, and which profiles fit.</summary>
    public static int List(BusInventory inventory, IReadOnlyList<StationProfile> profiles, TextWriter output, CancellationToken cancellationToken)
    {
        var all = new List<FoundInstrument>();
        var bus = "";
        foreach (var found in inventory.Find(cancellationToken))
        {
            all.Add(found);
            if (found.Bus != bus)
            {
                bus = found.Bus;
                output.WriteLine(bus);
            }

            output.WriteLine($"  {(found.Where.Length > 0 ? found.Where + "  " : "")}{found.What}");
            if (found.Kinds.Count > 0)
            {
                output.WriteLine($"      may be: {string.Join(", ", found.Kinds)}");
            }

            if (found.Wiring.Length > 0)
            {
                output.WriteLine($"      station file: {found.Wiring}");
            }
        }

        if (all.Count == 0)
        {
            output.WriteLine("No I2C or SPI bus, serial port, sound card or GPIO chip was found. On a Raspberry Pi buses are switched on with raspi-config.");
            return 0;
        }

        var ranked = ProfileFit.Rank(profiles, all);
        var fit = ranked.Where(profile => profile.Lacks.Count == 0).Select(profile => profile.Profile).ToArray();
        if (fit.Length > 0)
        {
            output.WriteLine($"Profiles that fit, the fullest first: {string.Join(", ", fit)}");
        }
        else if (ranked.Count > 0)
        {
            output.WriteLine($"No profile fits as a whole; the nearest is {ranked[0].Profile}, for which was not found: {string.Join(", ", ranked[0].Lacks)}");
        }

        return 0;
    }

    /// <summary>
    /// Reads one sensor of the station file and prints its values as they come, until cancelled or <paramref name="count"/> times. Nothing is stored or sent. A device gives a value for
    /// every look instead of the average of its period.
    /// </summary>
    /// <returns>0 when it gave values, 1 when it failed, 2 when the station file has no such sensor.</returns>
    public static async Task<int> TestAsync(
        AgentConfiguration configuration, string? name, int count, IBuses? buses, TimeProvider time, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        // Only the sensors of the station file: on the ladder there may be no secret and no hub yet.
        var services = new ServiceCollection().AddLogging().AddSingleton(time).AddHubSensors(configuration.Configuration);
        await using var provider = services.BuildServiceProvider();
        var agent = provider.GetRequiredService<IOptions<SensorsOptions>>().Value;
        if (Find(agent, name) is not { } sensor)
        {
            await error.WriteLineAsync($"hub-agent: {NotFound(agent, name)}").ConfigureAwait(false);
            return AgentCommands.Misconfigured;
        }

        if (sensor.Microphone is { } microphone)
        {
            microphone.EverySecond = true;
        }

        var factory = new SensorFactory(time, provider.GetRequiredService<ILoggerFactory>(), buses);
        await using var tested = Make(factory, sensor, agent);
        var given = 0;
        try
        {
            await foreach (var batch in tested.MeasureAsync(default, cancellationToken).ConfigureAwait(false))
            {
                for (var i = 0; i < batch.Measurements.Length; i++)
                {
                    await output.WriteLineAsync(Line(tested.Name, batch.Measurements.Span[i], time)).ConfigureAwait(false);
                }

                if (++given == count)
                {
                    return 0;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
        catch (SensorException exception)
        {
            await error.WriteLineAsync($"hub-agent: {exception.Message.ReplaceLineEndings(" ")}").ConfigureAwait(false);
        }

        return AgentCommands.Failed;
    }

    /// <summary>The sensor with a name, or the only one; null when there is none.</summary>
    public static SensorOptions? Find(SensorsOptions agent, string? name) =>
        name is null && agent.Sensors.Count == 1 ? agent.Sensors[0] : agent.Sensors.FirstOrDefault(candidate => candidate.Name == name);

    /// <summary>What to say when <see cref="Find"/> found none.</summary>
    public static string NotFound(SensorsOptions agent, string? name)
    {
        var there = agent.Sensors.Count == 0 ? "The station file has no sensors." : $"The station file has: {string.Join(", ", agent.Sensors.Select(candidate => candidate.Name))}.";
        return $"{(name is null ? "Say which sensor with --sensor." : $"There is no sensor '{name}'.")} {there}";
    }

    /// <summary>With a period of one look where the kind allows it: an installer does not want to wait for a minute.</summary>
    public static ISensor Make(SensorFactory factory, SensorOptions sensor, SensorsOptions agent)
    {
        foreach (var seconds in (int[])[1, 2, 5, 10, 30, 60])
        {
            (sensor.Every, sensor.Period) = (TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds));
            try
            {
                return factory.Create(sensor, agent);
            }
            catch (OptionsValidationException)
            {
                // Too fast for this kind.
            }
        }

        (sensor.Every, sensor.Period) = (null, null);
        return factory.Create(sensor, agent);
    }

    private static string Line(string sensor, in Measurement measurement, TimeProvider time)
    {
        var at = measurement.ObservedAt ?? time.GetUtcNow().UtcDateTime;
        var unit = QuantityCatalogue.TryGet(measurement.Property, out var quantity) ? Unit(quantity!.SenmlUnit) : "";
        var name = measurement.Part is { Length: > 0 } part ? $"{sensor}-{part}" : sensor;
        var quality = measurement.Quality == Quality.Good ? "" : $"  ({measurement.Quality})";
        return string.Create(CultureInfo.InvariantCulture, $"{at:HH:mm:ss}Z  {name}/{measurement.Property}  {Math.Round(measurement.Value, 3)} {unit}{quality}");
    }

    // As people write them.
    public static string Unit(string senml) => senml switch
    {
        "/100" => "%",
        "Cel" => "°C",
        "ug/m3" => "µg/m³",
        "mg/m3" => "mg/m³",
        "1/cm3" => "1/cm³",
        "deg" => "°",
        "W/m2" => "W/m²",
        "count" => "",
        _ => senml,
    };
}
