using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.Audit;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Puts on record what operators do on the pages, written as the API writes it.</summary>
internal static class OperatorNotes
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Notes it. The visitor may leave; what is done is noted all the same.</summary>
    /// <param name="audits">The record; none where the hub keeps none.</param>
    /// <param name="municipality">Slug of the municipality it concerns.</param>
    /// <param name="action">A stable word; cloud/Audit/README.md lists them.</param>
    /// <param name="subject">What it is done to.</param>
    /// <param name="by">Who does it.</param>
    /// <param name="details">The particulars, without secrets.</param>
    public static async Task NoteAsync<T>(this IEnumerable<IAudit> audits, string municipality, string action, string subject, string by, T details)
    {
        if (audits.LastOrDefault() is { } audit)
        {
            await audit.NoteAsync(new AuditNote(municipality, action, subject, by.Length <= 200 ? by : by[..200], JsonSerializer.Serialize(details, Json)), CancellationToken.None);
        }
    }
}
