using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Hub.Edge.Sensors;

namespace Hub.Edge.Sampling.Tests;

/// <summary>A sensor that does what a test says, start after start.</summary>
internal sealed class ScriptedSensor(string name) : ISensor
{
    private readonly Channel<object> script = Channel.CreateBounded<object>(10_000);

    public string Name => name;

    public bool IsOptical { get; init; }

    public int Starts { get; private set; }

    public int Pulled { get; private set; }

    public List<byte[]> Cursors { get; } = [];

    /// <summary>Gives values, with a position.</summary>
    public ScriptedSensor Gives(byte position, params Measurement[] measurements) => Then(new MeasurementBatch(measurements, new[] { position }));

    public ScriptedSensor Gives(params Measurement[] measurements) => Then(new MeasurementBatch(measurements));

    public ScriptedSensor Fails(Exception exception) => Then(exception);

    /// <summary>Ends its stream, as no sensor should.</summary>
    public ScriptedSensor Ends() => Then("end");

    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Starts++;
        Cursors.Add(cursor.ToArray());
        await foreach (object step in script.Reader.ReadAllAsync(cancellationToken))
        {
            if (step is Exception exception)
            {
                throw exception;
            }

            if (step is not MeasurementBatch batch)
            {
                yield break;
            }

            Pulled++;
            yield return batch;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ScriptedSensor Then(object step) => script.Writer.TryWrite(step) ? this : throw new InvalidOperationException("The script is full.");
}
