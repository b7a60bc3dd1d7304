using System.Globalization;
using System.Text;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer.Mapping;

namespace Hub.Cloud.Transfer.Export;

/// <summary>What both formats of text share: a buffer of characters that goes out as UTF-8.</summary>
internal abstract class TextSink : ObservationSink
{
    private const int FlushCharacters = 64 * 1024;

    private readonly StreamWriter _writer;
    private readonly StringBuilder _text = new(FlushCharacters + 1_024);

    protected TextSink(Stream output)
    {
        _writer = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 64 * 1024, leaveOpen: true);
    }

    /// <summary>Text on its way.</summary>
    protected StringBuilder Text => _text;

    /// <inheritdoc/>
    public override void Complete()
    {
        Flush(0);
        _writer.Flush();
    }

    /// <inheritdoc/>
    public override void Dispose() => _writer.Dispose();

    /// <summary>Sends on what has gathered.</summary>
    protected void Flush(int least = FlushCharacters)
    {
        if (_text.Length > least)
        {
            foreach (var chunk in _text.GetChunks())
            {
                _writer.Write(chunk.Span);
            }

            _text.Clear();
        }
    }

    /// <summary>A number such that it reads back as the same bits.</summary>
    protected void Number(double number)
    {
        if (!double.IsNaN(number))
        {
            _text.Append(CultureInfo.InvariantCulture, $"{number:R}");
        }
    }
}

/// <summary>CSV (RFC 4180), UTF-8, one heading line. No field ever needs a quote: slugs, names of sensors, identifiers, numbers and words have no comma.</summary>
internal sealed class CsvSink : TextSink
{
    private string _head = "";
    private string _unit = "";

    public CsvSink(Stream output) : base(output)
    {
        Text.AppendJoin(',', ExportColumns.Names).Append("\r\n");
    }

    /// <inheritdoc/>
    public override void Begin(Datastream datastream)
    {
        _head = string.Create(
            CultureInfo.InvariantCulture,
            $"{datastream.Station.Municipality},{datastream.Station.Slug},{datastream.Sensor},{datastream.Quantity.Id},{(int)datastream.Period.TotalSeconds},");
        _unit = datastream.Quantity.SenmlUnit;
    }

    /// <inheritdoc/>
    public override void Write(in Observation observation)
    {
        Text.Append(_head).Append(CultureInfo.InvariantCulture, $"{observation.PhenomenonTime:yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'},");
        Number(observation.Result);
        Text.Append(',').Append(_unit).Append(',').Append(QualityText.Of(observation.Quality)).Append(CultureInfo.InvariantCulture, $",{observation.Calibration},");
        Number(observation.Raw);
        Text.Append(',');
        Number(observation.Coverage);
        Text.Append(CultureInfo.InvariantCulture, $",{observation.Revision}\r\n");
        Flush();
    }
}

/// <summary>
/// InfluxDB line protocol, with the names the hub's own InfluxDB store gives: measurement <c>observation</c>; tags municipality, station, sensor, property and period (seconds); fields result, quality
/// (flags), raw, calibration, coverage and revision, the last four only where there is something to say; nanoseconds. Values that lost are not written: a point has one value.
/// </summary>
internal sealed class LineSink(Stream output) : TextSink(output)
{
    /// <summary>The measurement of every point.</summary>
    public const string Measurement = "observation";

    private string _head = "";

    /// <inheritdoc/>
    public override void Begin(Datastream datastream) => _head = string.Create(
        CultureInfo.InvariantCulture,
        $"{Measurement},municipality={datastream.Station.Municipality},period={(int)datastream.Period.TotalSeconds},property={datastream.Quantity.Id},sensor={datastream.Sensor},station={datastream.Station.Slug} result=");

    /// <inheritdoc/>
    public override void Write(in Observation observation)
    {
        Text.Append(_head);
        Number(observation.Result);
        Text.Append(CultureInfo.InvariantCulture, $",quality={(int)observation.Quality}i");

        if (!double.IsNaN(observation.Raw))
        {
            Text.Append(",raw=");
            Number(observation.Raw);
        }

        if (observation.Calibration != 0)
        {
            Text.Append(CultureInfo.InvariantCulture, $",calibration={observation.Calibration}i");
        }

        if (!double.IsNaN(observation.Coverage))
        {
            Text.Append(",coverage=");
            Number(observation.Coverage);
        }

        if (observation.Revision != 0)
        {
            Text.Append(CultureInfo.InvariantCulture, $",revision={observation.Revision}i");
        }

        var micros = (observation.PhenomenonTime.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        Text.Append(CultureInfo.InvariantCulture, $" {micros}000\n");
        Flush();
    }
}
