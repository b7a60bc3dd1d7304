using System.Collections;
using System.CommandLine;
using System.Globalization;
using Hub.Edge.Calibrations;

namespace Hub.Edge.Agent;

/// <summary>The verb <c>calibrate</c> on the command line.</summary>
internal static class CalibrateOptions
{
    /// <summary>Makes the verb.</summary>
    /// <param name="settings">Options of every verb that reads a station file.</param>
    /// <param name="sensor">The option that names a sensor.</param>
    /// <param name="settingsOf">What the settings' options say.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="output">Questions, progress, results.</param>
    /// <param name="error">What went wrong.</param>
    public static Command Make(
        IEnumerable<Option> settings, Option<string?> sensor, Func<ParseResult, AgentArguments> settingsOf, IDictionary environment, TextWriter output, TextWriter error)
    {
        var quantity = new Option<string?>("--quantity") { Description = "What to calibrate, e.g. no2; may be left out where the sensor gives one thing, and for sound.", HelpName = "QUANTITY" };
        var zero = new Option<string?>("--zero") { Description = "Measure a zero; its true value in the quantity's unit where it is not 0.", HelpName = "VALUE", Arity = ArgumentArity.ZeroOrOne };
        var span = new Option<string?>("--span") { Description = "Measure a span with this true value in the quantity's unit.", HelpName = "VALUE" };
        var level = new Option<string?>("--level") { Description = "Measure a sound calibrator of this level in dB: 94 or 114, or what its certificate says.", HelpName = "DB" };
        var reference = new Option<string?>("--reference") { Description = "What the reference is: number of the cylinder, certificate, calibrator.", HelpName = "TEXT" };
        var temperature = new Option<string?>("--temperature") { Description = "Temperature at the reference, degrees Celsius.", HelpName = "CELSIUS" };
        var by = new Option<string?>("--by") { Description = "Who calibrates. Default: the user of the machine.", HelpName = "NAME" };
        var yes = new Option<bool>("--yes") { Description = "Ask nothing. With --zero and --span together the span begins when the reading has moved half of the way." };
        var acceptDrift = new Option<bool>("--accept-drift") { Description = "Use a calibration that is further from the last one than one expects." };
        var list = new Option<bool>("--list") { Description = "Print the calibrations recorded so far, and when the next are due." };
        var undo = new Option<bool>("--undo") { Description = "Take the last calibration back: a new version with what was in force before it. Nothing is deleted." };
        var looks = new Option<int?>("--looks") { Description = $"Values that must agree, {CalibrationProbe.NeededMin} to {CalibrationProbe.NeededMax}. Default {CalibrationProbe.NeededDefault}.", HelpName = "N" };
        var patience = new Option<string?>("--patience") { Description = "How long a point may take. Default 00:15:00.", HelpName = "DURATION" };
        var calibrate = new Command(
            "calibrate",
            "Walk through a zero and span, or a sound calibrator, and record the calibration with its date and version. Without --zero, --span or --level it asks. Stop the agent first where it has the device "
            + "(serial ports, microphones).\n\n"
            + "Exit codes: 0 recorded, 1 refused (too short, unstable, wrong level, too far, drifted), 2 a setting or argument is wrong.");
        foreach (var option in settings.Concat([sensor, quantity, zero, span, level, reference, temperature, by, yes, acceptDrift, list, undo, looks, patience]))
        {
            calibrate.Add(option);
        }

        calibrate.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                var arguments = new CalibrateArguments
                {
                    Sensor = parsed.GetValue(sensor),
                    Quantity = parsed.GetValue(quantity),
                    Zero = parsed.GetResult(zero) is null ? null : Number("--zero", parsed.GetValue(zero) ?? "0"),
                    Span = Number("--span", parsed.GetValue(span)),
                    Level = Number("--level", parsed.GetValue(level)),
                    Reference = parsed.GetValue(reference),
                    Celsius = Number("--temperature", parsed.GetValue(temperature)),
                    By = parsed.GetValue(by),
                    Yes = parsed.GetValue(yes),
                    AcceptDrift = parsed.GetValue(acceptDrift),
                    List = parsed.GetValue(list),
                    Undo = parsed.GetValue(undo),
                    Looks = parsed.GetValue(looks),
                    Patience = Duration(parsed.GetValue(patience)) ?? CalibrateArguments.PatienceDefault,
                };
                var configuration = AgentConfiguration.Build(settingsOf(parsed), environment, Environment.CurrentDirectory);
                var talk = new CalibrateTalk(Console.In, !Console.IsInputRedirected, output, error);
                return await new CalibrateCommands(configuration, arguments, null, TimeProvider.System, talk).RunAsync(cancellationToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // The last place: whatever it is becomes a line and an exit code.
            catch (Exception e)
            {
                return AgentCommands.Report(e, error);
            }
#pragma warning restore CA1031
        });
        return calibrate;
    }

    private static double? Number(string option, string? text) => text is null ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
        : throw new ConfigurationException($"{option} {text}: give a number, with a point for the fraction.");

    private static TimeSpan? Duration(string? text) => text is null ? null
        : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration) ? duration
        : throw new ConfigurationException($"--patience {text}: give a duration such as 00:15:00.");
}
