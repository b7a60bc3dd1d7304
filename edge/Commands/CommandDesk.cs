using System.Globalization;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sampling;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Commands;

/// <summary>The commands of FORMAT.md. One at a time; an argument that is not known is passed over, one of the wrong type or range refuses the command.</summary>
internal sealed class CommandDesk(IAgentDesk agent, ISampling sampling, IUplink uplink, Identify identify, CommandsInstruments instruments, TimeProvider time, ILogger<CommandDesk> logger) : ICommandLink, ICommands
{
    /// <summary>Fewest and most characters of a secret.</summary>
    public const int SecretCharactersMin = 16;

    /// <summary>Most characters of a secret.</summary>
    public const int SecretCharactersMax = 256;

    private const int SecondsDefault = 30;
    private const int SecondsMax = 600;
    private const int LinesDefault = 200;
    private const int LinesMax = 1000;

    /// <summary>Room that the members around the result take.</summary>
    private const int ReplyOverhead = 1024;

    /// <summary>How long a sensor that is asked may take to give a value.</summary>
    private static readonly TimeSpan ReadingPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long the hub may take to accept a new secret; the hub waits for the answer a little longer.</summary>
    private static readonly TimeSpan RotationPatience = TimeSpan.FromSeconds(45);

    private CommandsState _state = new(null, 0);

    /// <inheritdoc/>
    public CommandsState State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public async Task<CommandAnswer> CommandAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _state, new CommandsState(name, _state.Count + 1));
        CommandAnswer answer;
        if (!Arguments.TryRead(payload.Span, out var arguments, out var problem))
        {
            answer = Refused(problem);
        }
        else
        {
            using (arguments)
            {
                answer = name switch
                {
                    CommandNames.Restart => new CommandAnswer(new CommandReply(CommandOutcome.Done), agent.Restart),
                    CommandNames.ReadNow => await ReadNowAsync(arguments, cancellationToken).ConfigureAwait(false),
                    CommandNames.Identify => Blink(arguments),
                    CommandNames.Diagnostics => Diagnostics(arguments),
                    CommandNames.RotateCredentials => await RotateAsync(arguments, cancellationToken).ConfigureAwait(false),
                    _ => Refused(
                        $"This station knows no command '{name}'; it knows {string.Join(", ", CommandNames.Restart, CommandNames.ReadNow, CommandNames.Identify, CommandNames.Diagnostics, CommandNames.RotateCredentials)}."),
                };
            }
        }

        instruments.Done(name, answer.Reply.Outcome);
        return answer;
    }

    private async Task<CommandAnswer> ReadNowAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        if (!arguments.TryText("sensor", out var sensor, out var problem))
        {
            return Refused(problem);
        }

        var there = sampling.Sensors;
        if (sensor is not null && !there.Any(candidate => candidate.Name == sensor))
        {
            return Refused(there.Count == 0 ? "This station has no sensors." : $"There is no sensor '{sensor}'; there are {string.Join(", ", there.Select(candidate => candidate.Name))}.");
        }

        var asked = sampling.Ask(sensor);
        if (asked.Count > 0)
        {
            await WaitAsync(there.Where(state => asked.Contains(state.Name)).ToDictionary(state => state.Name, state => (state.Taken, state.Failures)), cancellationToken).ConfigureAwait(false);
        }

        var newest = sampling.Newest(sensor);
        var result = Json(json =>
        {
            json.WriteStartArray("readings");
            foreach (var reading in newest.OrderBy(reading => reading.Sensor, StringComparer.Ordinal).ThenBy(reading => reading.Property, StringComparer.Ordinal).ThenBy(reading => reading.Period))
            {
                json.WriteStartObject();
                json.WriteString("sensor", reading.Sensor);
                json.WriteString("property", reading.Property);
                json.WriteString("unit", QuantityCatalogue.TryGet(reading.Property, out Quantity? quantity) ? quantity!.SenmlUnit : "");
                json.WriteNumber("value", reading.Value);
                json.WriteString("time", reading.PhenomenonTime);
                json.WriteNumber("quality", (int)reading.Quality);
                if (reading.Period > TimeSpan.Zero)
                {
                    json.WriteNumber("period", reading.Period.TotalSeconds);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
        var silent = sampling.Sensors.Where(state => (sensor is null || state.Name == sensor) && state.Condition is SensorCondition.Failing or SensorCondition.Dead).ToArray();
        return newest.Count == 0 || (sensor is not null && silent.Length > 0)
            ? new CommandAnswer(new CommandReply(CommandOutcome.Failed, Why(silent), result))
            : new CommandAnswer(new CommandReply(CommandOutcome.Done, null, result));
    }

    private static string Why(SensorState[] silent) => silent.Length == 0
        ? "No sensor has given a value yet."
        : string.Join(" ", silent.Select(state => $"{state.Name}: {state.Failure?.ReplaceLineEndings(" ") ?? "it does not fail, it says nothing"}"));

    /// <summary>Waits until each of the sensors has given a value, or failed, or a while has passed.</summary>
    private async Task WaitAsync(Dictionary<string, (long Taken, long Failures)> before, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < ReadingPatience
            && sampling.Sensors.Any(state => before.TryGetValue(state.Name, out var was) && state.Taken == was.Taken && state.Failures == was.Failures))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private CommandAnswer Blink(Arguments arguments)
    {
        if (!arguments.TryNumber("seconds", SecondsDefault, 1, SecondsMax, out var seconds, out var problem))
        {
            return Refused(problem);
        }

        try
        {
            identify.Blink(TimeSpan.FromSeconds(seconds));
            return new CommandAnswer(new CommandReply(CommandOutcome.Done));
        }
        catch (NoLightException e)
        {
            return Refused(e.Message);
        }
    }

    private CommandAnswer Diagnostics(Arguments arguments)
    {
        if (!arguments.TryNumber("lines", LinesDefault, 0, LinesMax, out var count, out var problem))
        {
            return Refused(problem);
        }

        var (settings, status) = (agent.Settings, agent.Status);
        IReadOnlyList<string> lines = agent.Log(count);
        while (true)
        {
            var result = Json(json =>
            {
                json.WriteString("agent", agent.Agent);
                Write(json, "settings", settings);
                json.WritePropertyName("status");
                status.WriteTo(json);
                Write(json, "log", lines);
            });
            var bytes = Encoding.UTF8.GetByteCount(result.GetRawText());
            if (bytes <= CommandReply.BytesMax - ReplyOverhead)
            {
                return new CommandAnswer(new CommandReply(CommandOutcome.Done, null, result));
            }

            if (lines.Count == 0)
            {
                // Dozens of sensors with long settings: what the station does is worth more than how it was told to.
                settings = settings.Count > 0 ? [.. settings.Take(settings.Count / 2)] : throw new InvalidOperationException($"The status alone has {bytes} bytes.");
            }

            // The newest lines are the ones that matter.
            lines = [.. lines.Skip(Math.Max(1, lines.Count / 4))];
        }

        static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
        {
            json.WriteStartArray(name);
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }
    }

    private async Task<CommandAnswer> RotateAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        if (!arguments.TryText("secret", out var secret, out var problem))
        {
            return Refused(problem);
        }

        if (secret is not { Length: >= SecretCharactersMin and <= SecretCharactersMax } || !secret.All(c => c is > ' ' and <= '~'))
        {
            return Refused($"secret: give {SecretCharactersMin} to {SecretCharactersMax} visible ASCII characters.");
        }

        try
        {
            return await uplink.RotateAsync(secret, RotationPatience, cancellationToken).ConfigureAwait(false) switch
            {
                RotationOutcome.Accepted => new CommandAnswer(new CommandReply(CommandOutcome.Done)),
                RotationOutcome.Refused => Failed("The hub did not accept the new secret; the old one is used again."),
                RotationOutcome.Unreachable => Failed($"The hub neither accepted nor refused the new secret within {RotationPatience.TotalSeconds:0} s; the old one is used again."),
                _ => Refused("This station has no folder to keep a secret in."),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.SecretFailed(e);
            return Failed("The new secret could not be written; the old one is used on. Is the station's disk full?");
        }
    }

    private static CommandAnswer Refused(string problem) => new(new CommandReply(CommandOutcome.Refused, problem));

    private static CommandAnswer Failed(string problem) => new(new CommandReply(CommandOutcome.Failed, problem));

    private static JsonElement Json(Action<Utf8JsonWriter> content)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}

/// <summary>The arguments of a command: an empty payload or a JSON object.</summary>
internal sealed class Arguments : IDisposable
{
    private readonly JsonDocument? _document;

    private Arguments(JsonDocument? document) => _document = document;

    public static bool TryRead(ReadOnlySpan<byte> payload, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Arguments? arguments, out string problem)
    {
        (arguments, problem) = (null, "");
        if (payload.IsEmpty)
        {
            arguments = new Arguments(null);
            return true;
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(payload.ToArray(), new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            problem = $"The arguments are no JSON: {e.Message.ReplaceLineEndings(" ")}";
            return false;
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            document.Dispose();
            problem = "The arguments are no JSON object.";
            return false;
        }

        arguments = new Arguments(document);
        return true;
    }

    /// <summary>A text; null when it is missing.</summary>
    public bool TryText(string name, out string? text, out string problem)
    {
        (text, problem) = (null, "");
        if (Find(name) is not { } value)
        {
            return true;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            problem = $"{name}: give a text.";
            return false;
        }

        text = value.GetString();
        return true;
    }

    /// <summary>A whole number.</summary>
    public bool TryNumber(string name, int standard, int min, int max, out int number, out string problem)
    {
        (number, problem) = (standard, "");
        if (Find(name) is not { } value)
        {
            return true;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number) && number >= min && number <= max)
        {
            return true;
        }

        problem = string.Create(CultureInfo.InvariantCulture, $"{name}: give a whole number, {min} to {max}.");
        return false;
    }

    public void Dispose() => _document?.Dispose();

    private JsonElement? Find(string name) => _document is not null && _document.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
