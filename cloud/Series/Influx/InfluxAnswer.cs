using System.Globalization;
using System.Text.Json;

namespace Hub.Cloud.Series;

/// <summary>One value of an answer: as a number, and as a whole number where it is one.</summary>
internal readonly record struct InfluxCell(bool IsNull, double Number, long Integer);

/// <summary>Takes one row of an answer.</summary>
/// <param name="statement">Position of its statement in the question.</param>
/// <param name="datastream">From the tag <c>datastream</c>; 0 when the answer is not grouped by it, or the tag holds no number.</param>
/// <param name="loser">From the tag <c>loser</c>; -1 when there is none.</param>
/// <param name="cells">Values in the order asked for, the time first; valid during the call.</param>
internal delegate void InfluxRow(int statement, int datastream, int loser, ReadOnlySpan<InfluxCell> cells);

/// <summary>Reads the answers of InfluxQL: one JSON document for each chunk, times as microseconds.</summary>
internal sealed class InfluxAnswer(InfluxRow take)
{
    private readonly InfluxCell[] _cells = new InfluxCell[16];
    private int _statement;
    private int _datastream;
    private int _loser;

    private delegate void Property(ref Utf8JsonReader reader, InfluxAnswer answer);

    /// <summary>The last chunk read says that more of its statement follows.</summary>
    public bool MoreFollows { get; private set; }

    /// <exception cref="InfluxQueryException">The server says that a statement failed.</exception>
    /// <exception cref="InfluxAwayException">It is no answer of InfluxQL.</exception>
    public void Read(ReadOnlySpan<byte> chunk)
    {
        var reader = new Utf8JsonReader(chunk);
        try
        {
            MoreFollows = false;
            reader.Read();
            ReadObject(ref reader, static (ref Utf8JsonReader r, InfluxAnswer answer) =>
            {
                if (r.ValueTextEquals("results"u8))
                {
                    r.Read();
                    while (r.Read() && r.TokenType != JsonTokenType.EndArray)
                    {
                        answer.ReadStatement(ref r);
                    }
                }
                else
                {
                    ReadRest(ref r);
                }
            });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InfluxAwayException("gives an answer that is not one of InfluxQL: is the address that of InfluxDB?", e);
        }
    }

    private void ReadObject(ref Utf8JsonReader reader, Property property)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("An object was expected.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            property(ref reader, this);
        }
    }

    private void ReadStatement(ref Utf8JsonReader reader)
    {
        _statement = 0;
        ReadObject(ref reader, static (ref Utf8JsonReader r, InfluxAnswer answer) =>
        {
            if (r.ValueTextEquals("statement_id"u8))
            {
                r.Read();
                answer._statement = r.GetInt32();
            }
            else if (r.ValueTextEquals("series"u8))
            {
                r.Read();
                while (r.Read() && r.TokenType != JsonTokenType.EndArray)
                {
                    answer.ReadSeries(ref r);
                }
            }
            else if (r.ValueTextEquals("partial"u8))
            {
                r.Read();
                answer.MoreFollows = r.GetBoolean();
            }
            else
            {
                ReadRest(ref r);
            }
        });
    }

    private void ReadSeries(ref Utf8JsonReader reader)
    {
        (_datastream, _loser) = (0, -1);
        ReadObject(ref reader, static (ref Utf8JsonReader r, InfluxAnswer answer) =>
        {
            // The server writes the tags of a series before its values.
            if (r.ValueTextEquals("tags"u8))
            {
                r.Read();
                answer.ReadTags(ref r);
            }
            else if (r.ValueTextEquals("values"u8))
            {
                r.Read();
                while (r.Read() && r.TokenType != JsonTokenType.EndArray)
                {
                    answer.ReadRow(ref r);
                }
            }
            else
            {
                r.Read();
                r.Skip();
            }
        });
    }

    private void ReadTags(ref Utf8JsonReader reader) => ReadObject(ref reader, static (ref Utf8JsonReader r, InfluxAnswer answer) =>
    {
        var (isDatastream, isLoser) = (r.ValueTextEquals("datastream"u8), r.ValueTextEquals("loser"u8));
        r.Read();
        var known = int.TryParse(r.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        if (isDatastream)
        {
            answer._datastream = known ? number : 0;
        }
        else if (isLoser)
        {
            answer._loser = known ? number : -1;
        }
    });

    private void ReadRow(ref Utf8JsonReader reader)
    {
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (count == _cells.Length)
            {
                throw new JsonException("A row has more values than were asked for.");
            }

            _cells[count++] = reader.TokenType == JsonTokenType.Number
                ? new InfluxCell(false, reader.GetDouble(), reader.TryGetInt64(out var integer) ? integer : 0)
                : new InfluxCell(true, double.NaN, 0);
        }

        take(_statement, _datastream, _loser, _cells.AsSpan(0, count));
    }

    /// <summary>An error, or something that is not needed.</summary>
    private static void ReadRest(ref Utf8JsonReader reader)
    {
        var isError = reader.ValueTextEquals("error"u8);
        reader.Read();
        if (isError)
        {
            throw new InfluxQueryException(reader.GetString() ?? "no reason given");
        }

        reader.Skip();
    }
}
