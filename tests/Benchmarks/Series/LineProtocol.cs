using System.Buffers.Text;
using System.Net.Http.Headers;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>Writes visits as line protocol, five fields a line: the form in which these servers are quickest.</summary>
internal sealed class LineProtocol(HttpClient client, string path)
{
    private byte[] _text = [];

    /// <summary>Posts them and waits for the answer.</summary>
    /// <exception cref="HttpRequestException">The server did not take them.</exception>
    public async Task WriteAsync(ReadOnlyMemory<Visit> visits)
    {
        if (_text.Length < visits.Length * 160)
        {
            _text = new byte[visits.Length * 160];
        }

        using var content = new ByteArrayContent(_text, 0, Format(visits.Span));
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var answer = await client.PostAsync(path, content);
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{client.BaseAddress}{path} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private int Format(ReadOnlySpan<Visit> visits)
    {
        var rest = _text.AsSpan();
        foreach (ref readonly var visit in visits)
        {
            Text(ref rest, "city,station=st"u8);
            Utf8Formatter.TryFormat(visit.Station, rest, out var written, new System.Buffers.StandardFormat('D', 4));
            rest = rest[written..];
            for (var quantity = 0; quantity < CityWorkload.Quantities; quantity++)
            {
                Text(ref rest, Fields[quantity]);
                Utf8Formatter.TryFormat(visit[quantity], rest, out written);
                rest = rest[written..];
            }

            Text(ref rest, " "u8);
            Utf8Formatter.TryFormat(visit.Seconds, rest, out written);
            rest = rest[written..];
            Text(ref rest, "\n"u8);
        }

        return _text.Length - rest.Length;
    }

    private static readonly byte[][] Fields = [.. CityWorkload.Properties.Select((name, i) => System.Text.Encoding.ASCII.GetBytes($"{(i == 0 ? " " : ",")}{name}="))];

    private static void Text(ref Span<byte> rest, ReadOnlySpan<byte> text)
    {
        text.CopyTo(rest);
        rest = rest[text.Length..];
    }
}
