using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Stations.Notebook;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Stations;

/// <summary>What has been at a station: how much of its values came, what happened, how its sensors were calibrated, where it stood, notes and photos.</summary>
[OperatorUpload(FormBytesMax)]
[RequestFormLimits(MultipartBodyLengthLimit = FormBytesMax)]
internal sealed class HistoryModel(
    Reader reader, ChartReader charts, StationPast past, StationCalibrations calibrations, LongReads longReads, IEnumerable<IStationNotebook> notebooks, IEnumerable<IFleet> fleets, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    /// <summary>Notes shown at most.</summary>
    public const int NotesMax = 100;

    private const long FormBytesMax = (NotebookRules.PhotosMax * (long)NotebookRules.PhotoBytesMax) + (1024 * 1024);

    public StationView View { get; private set; } = null!;

    public UptimeView Uptime { get; private set; } = null!;

    public Drawing Strip { get; private set; } = null!;

    public IReadOnlyList<StationEvent> Events { get; private set; } = [];

    /// <summary>Whether more happened than is shown.</summary>
    public bool More { get; private set; }

    public IReadOnlyList<PlaceView> Places { get; private set; } = [];

    public IReadOnlyList<CalibrationView> Calibrations { get; private set; } = [];

    public IReadOnlyList<CorrectionView> Corrections { get; private set; } = [];

    public IReadOnlyList<StationNote> Notes { get; private set; } = [];

    /// <summary>What the station says of its sensors; for people of its municipality.</summary>
    public IReadOnlyList<StatusSensor> Sensors { get; private set; } = [];

    /// <summary>Whether the visitor belongs to the municipality.</summary>
    public bool MayKnow => User.Holds(Role.Viewer, View.Station.Municipality);

    /// <summary>Whether the visitor may write and remove notes.</summary>
    public bool MayWrite => notebooks.Any() && User.Holds(Role.Operator, View.Station.Municipality);

    /// <summary>What was typed and could not be taken, and why.</summary>
    public (string Text, bool Public, string Problem, string Detail)? Refused { get; private set; }

    public string Address => $"/stations/{View.Station.Municipality}/{View.Station.Slug}";

    public async Task<IActionResult> OnGetAsync(string municipality, string station, CancellationToken cancellationToken)
    {
        if (reader.Station(User, municipality, station) is not { } view)
        {
            return this.Missing();
        }

        View = view;
        using var turn = await longReads.TurnAsync(cancellationToken);
        if (turn is null)
        {
            return this.Busy();
        }

        Uptime = await past.UptimeAsync(View, await charts.BeginAsync(View, cancellationToken), cancellationToken);
        Strip = StationPictures.Uptime(Uptime, View.Zone, scope.Speech);
        List<CalibrationView> found = [];
        foreach (var value in View.Values)
        {
            found.AddRange(await calibrations.OfAsync(value.Datastream, scope.Now, cancellationToken));
        }

        Calibrations = found;
        Places = await past.PlacesAsync(View.Station, cancellationToken);
        var record = await past.RecordAsync(User, View, cancellationToken);
        Corrections = StationPast.Corrections(View, record);
        (Events, More) = await past.EventsAsync(User, View, record, Places, Calibrations, cancellationToken);
        Notes = notebooks.LastOrDefault() is { } notebook ? await notebook.ListAsync(View.Station.Id, MayKnow, NotesMax, cancellationToken) : [];
        Sensors = MayKnow && fleets.LastOrDefault() is { } fleet ? fleet.AgentOf(View.Station.Id).Sensors : [];
        scope.Municipality = municipality;
        scope.Scripts.Add("topics");
        return Page();
    }

    /// <summary>Writes a note, with photos.</summary>
    public async Task<IActionResult> OnPostNoteAsync(string municipality, string station, string? text, bool shared, IReadOnlyList<IFormFile>? photos, CancellationToken cancellationToken)
    {
        if (Writer(municipality, station) is not { } notebook)
        {
            return this.Missing();
        }

        try
        {
            List<byte[]> files = [];
            foreach (var file in (photos ?? []).Where(static one => one.Length > 0))
            {
                if (file.Length > NotebookRules.PhotoBytesMax)
                {
                    throw new NoteRefusedException(NoteFault.PhotoTooLarge, files.Count + 1, file.FileName);
                }

                using MemoryStream bytes = new((int)file.Length);
                await file.CopyToAsync(bytes, cancellationToken);
                files.Add(bytes.ToArray());
            }

            var note = await notebook.AddAsync(View.Station.Id, RulesModel.ByOf(User), text ?? "", shared, files, cancellationToken);
            await audits.NoteAsync(municipality, "station-note-added", $"station {station}", RulesModel.ByOf(User), new { note.Id, note.Public, Photos = note.Photos.Count });
            return Redirect(string.Create(CultureInfo.InvariantCulture, $"{Address}/history#note-{note.Id}"));
        }
        catch (NoteRefusedException refused)
        {
            Refused = (text ?? "", shared, "notes.fault." + refused.Fault.ToString().ToLowerInvariant(), refused.Photo > 0 ? scope.Speech.Of("notes.photo.number", refused.Photo) : "");
        }
        catch (KeyNotFoundException)
        {
            return this.Missing();
        }

        var page = await OnGetAsync(municipality, station, cancellationToken);
        Response.StatusCode = Response.StatusCode == 200 ? 400 : Response.StatusCode;
        return page;
    }

    /// <summary>Removes a note and its photos for good; the page has asked before.</summary>
    public async Task<IActionResult> OnPostRemoveAsync(string municipality, string station, long note, CancellationToken cancellationToken)
    {
        if (Writer(municipality, station) is not { } notebook)
        {
            return this.Missing();
        }

        if (await notebook.RemoveAsync(View.Station.Id, note, cancellationToken) is { } removed)
        {
            await audits.NoteAsync(municipality, "station-note-removed", $"station {station}", RulesModel.ByOf(User), new { removed.Id, removed.At, removed.By, removed.Public, Photos = removed.Photos.Count });
        }

        return Redirect(Address + "/history#notes");
    }

    /// <summary>A photo of a note; to anybody who may read the note.</summary>
    public async Task<IActionResult> OnGetPhotoAsync(string municipality, string station, long photo, CancellationToken cancellationToken)
    {
        if (reader.Station(User, municipality, station) is not { } view || notebooks.LastOrDefault() is not { } notebook
            || await notebook.PhotoAsync(view.Station.Id, photo, cancellationToken) is not { } found
            || (!found.Note.Public && !User.Holds(Role.Viewer, municipality)))
        {
            return this.Missing();
        }

        // A photo never changes under its address; an hour, so that a removed one goes from caches soon. Whoever opens it by itself gets a picture and nothing that runs.
        var open = found.Note.Public && view.Station.Public;
        Response.Headers.CacheControl = open ? "public, max-age=3600" : "private, no-store";
        if (open)
        {
            // The same to everybody, in every language.
            Response.Headers.Remove("Vary");
        }

        Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return File(found.Bytes, found.Photo.ContentType);
    }

    private IStationNotebook? Writer(string municipality, string station)
    {
        if (!User.Holds(Role.Operator, municipality) || reader.Station(User, municipality, station) is not { } view)
        {
            return null;
        }

        View = view;
        return notebooks.LastOrDefault();
    }
}
