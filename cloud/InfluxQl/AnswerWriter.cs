using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl;

/// <summary>What became of a statement: its tables, or the reason why there are none.</summary>
internal sealed record StatementAnswer(IReadOnlyList<AnswerTable> Tables, string? Error, TimeZoneInfo? Zone);

/// <summary>Writes answers as InfluxDB does, in one document or, when asked for chunks, in one for each piece.</summary>
/// <param name="output">Where to.</param>
/// <param name="epoch">Nanoseconds of the unit of times; 0 for times as text.</param>
/// <param name="pretty">Whether for people.</param>
/// <param name="chunk">Rows of a chunk; 0 for one document.</param>
internal sealed class AnswerWriter(PipeWriter output, long epoch, bool pretty, int chunk)
{
    /// <summary>Bytes written before they are sent on.</summary>
    private const int FlushAt = 64 * 1024;

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>Writes them all.</summary>
    public async Task WriteAsync(IReadOnlyList<StatementAnswer> answers, CancellationToken cancellationToken)
    {
        if (chunk == 0)
        {
            await using var json = Json();
            Begin(json);
            for (var i = 0; i < answers.Count; i++)
            {
                await StatementAsync(json, i, answers[i], cancellationToken);
            }

            End(json);
            await json.FlushAsync(cancellationToken);
            output.Write(LineEnd);
            await output.FlushAsync(cancellationToken);
            return;
        }

        for (var i = 0; i < answers.Count; i++)
        {
            var pieces = answers[i].Tables.SelectMany(table => Pieces(table)).ToArray();
            if (pieces.Length == 0)
            {
                await ChunkAsync(i, answers[i] with { Tables = [] }, false, false, cancellationToken);
            }

            for (var j = 0; j < pieces.Length; j++)
            {
                await ChunkAsync(i, answers[i] with { Tables = [pieces[j].Table] }, j < pieces.Length - 1, pieces[j].Partial, cancellationToken);
            }
        }
    }

    /// <summary>An instant as InfluxDB writes it: RFC 3339 with as many digits as there are.</summary>
    public static string Text(long time, TimeZoneInfo? zone)
    {
        var utc = Nanoseconds.ToDateTime(time);
        var offset = zone?.GetUtcOffset(utc) ?? TimeSpan.Zero;
        var local = utc + offset;
        var fraction = ((time % Nanoseconds.PerSecond) + Nanoseconds.PerSecond) % Nanoseconds.PerSecond;
        var digits = fraction == 0 ? "" : "." + fraction.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        var sign = offset < TimeSpan.Zero ? "-" : "+";
        return local.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + digits + (offset == TimeSpan.Zero ? "Z" : sign + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture));
    }

    private IEnumerable<(AnswerTable Table, bool Partial)> Pieces(AnswerTable table)
    {
        for (var at = 0; at < table.Rows.Count; at += chunk)
        {
            yield return (table with { Rows = [.. table.Rows.Skip(at).Take(chunk)] }, at + chunk < table.Rows.Count);
        }
    }

    private async Task ChunkAsync(int statement, StatementAnswer answer, bool more, bool partial, CancellationToken cancellationToken)
    {
        await using (var json = Json())
        {
            Begin(json);
            await StatementAsync(json, statement, answer, cancellationToken, more, partial);
            End(json);
            await json.FlushAsync(cancellationToken);
        }

        output.Write(LineEnd);
        await output.FlushAsync(cancellationToken);
    }

    private Utf8JsonWriter Json() => new(output, new JsonWriterOptions { Indented = pretty, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    private static void Begin(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("results"u8);
    }

    private static void End(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async Task StatementAsync(Utf8JsonWriter json, int statement, StatementAnswer answer, CancellationToken cancellationToken, bool more = false, bool partial = false)
    {
        json.WriteStartObject();
        json.WriteNumber("statement_id"u8, statement);
        if (answer.Tables.Count > 0)
        {
            json.WriteStartArray("series"u8);
            foreach (var table in answer.Tables)
            {
                Head(json, table);
                foreach (var row in table.Rows)
                {
                    Row(json, table, row, answer.Zone);
                    if (json.BytesPending > FlushAt)
                    {
                        await json.FlushAsync(cancellationToken);
                        await output.FlushAsync(cancellationToken);
                    }
                }

                json.WriteEndArray();
                if (partial)
                {
                    json.WriteBoolean("partial"u8, true);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (more)
        {
            json.WriteBoolean("partial"u8, true);
        }

        if (answer.Error is { } error)
        {
            json.WriteString("error"u8, error);
        }

        json.WriteEndObject();
    }

    private static void Head(Utf8JsonWriter json, AnswerTable table)
    {
        json.WriteStartObject();
        if (table.Name is { } name)
        {
            json.WriteString("name"u8, name);
        }

        if (table.Tags.Count > 0)
        {
            json.WriteStartObject("tags"u8);
            foreach (var (key, value) in table.Tags)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        json.WriteStartArray("columns"u8);
        foreach (var column in table.Columns)
        {
            json.WriteStringValue(column);
        }

        json.WriteEndArray();
        json.WriteStartArray("values"u8);
    }

    private void Row(Utf8JsonWriter json, AnswerTable table, ListRow row, TimeZoneInfo? zone)
    {
        json.WriteStartArray();
        if (table.TimeFirst)
        {
            if (epoch > 0)
            {
                json.WriteNumberValue(row.Time / epoch);
            }
            else
            {
                json.WriteStringValue(Text(row.Time, zone));
            }
        }

        foreach (var value in row.Values)
        {
            switch (value.Kind)
            {
                case ValueKind.Float when double.IsFinite(value.Float):
                    json.WriteNumberValue(value.Float);
                    break;
                case ValueKind.Integer:
                    json.WriteNumberValue(value.Integer);
                    break;
                case ValueKind.Text:
                    json.WriteStringValue(value.Text);
                    break;
                case ValueKind.Boolean:
                    json.WriteBooleanValue(value.IsTrue);
                    break;
                default:
                    json.WriteNullValue();
                    break;
            }
        }

        json.WriteEndArray();
    }
}
