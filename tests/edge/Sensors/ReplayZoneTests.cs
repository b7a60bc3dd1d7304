using System.Globalization;
using CsCheck;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Replay.Text;
using Xunit;

namespace Hub.Edge.Sensors.Tests;

/// <summary>From local time stamps to instants, also where the framework's own way back from local time is wrong.</summary>
public sealed class ReplayZoneTests
{
    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29T01:30", null, null)]
    [InlineData("Europe/Lisbon", "2026-10-25T01:30", "2026-10-25T00:30Z", "2026-10-25T01:30Z")]
    [InlineData("Europe/Dublin", "2026-03-29T01:30", null, null)]
    [InlineData("Europe/Dublin", "2026-03-29T02:00", "2026-03-29T01:00Z", "2026-03-29T01:00Z")]
    [InlineData("Europe/Dublin", "2026-10-25T01:00", "2026-10-25T00:00Z", "2026-10-25T01:00Z")]
    [InlineData("Europe/Dublin", "2026-10-25T02:00", "2026-10-25T02:00Z", "2026-10-25T02:00Z")]
    [InlineData("Africa/Casablanca", "2012-08-20T02:00", null, null)]
    [InlineData("Africa/Casablanca", "2012-08-20T03:00", "2012-08-20T02:00Z", "2012-08-20T02:00Z")]
    [InlineData("Africa/Casablanca", "2012-07-20T02:30", "2012-07-20T01:30Z", "2012-07-20T02:30Z")]
    [InlineData("Europe/Moscow", "2011-03-27T02:30", null, null)]
    [InlineData("Pacific/Apia", "2011-12-30T12:00", null, null)]
    [InlineData("+05:45", "2026-01-01T00:00", "2025-12-31T18:15Z", "2025-12-31T18:15Z")]
    public void Local_time_is_shown_never_once_or_twice(string zone, string local, string? first, string? last)
    {
        var instants = ReplayZone.Instants(DateTime.Parse(local, CultureInfo.InvariantCulture), ReplayZone.Find(zone));
        Assert.Equal((Instant(first), Instant(last)), (instants?.First, instants?.Last));
    }

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29", "2026-03-29T00:00Z")]
    [InlineData("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00Z")]
    [InlineData("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00Z")]
    [InlineData("Europe/Dublin", "2026-10-25", "2026-10-24T23:00Z")]
    [InlineData("America/Asuncion", "2023-10-01", "2023-10-01T04:00Z")]
    [InlineData("America/St_Johns", "2010-11-07", "2010-11-07T02:30Z")]
    [InlineData("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z")]
    public void Day_starts_at_its_first_instant(string zone, string date, string start) =>
        Assert.Equal(Instant(start), ReplayZone.DayStart(DateOnly.Parse(date, CultureInfo.InvariantCulture), ReplayZone.Find(zone)));

    /// <summary>The clock of every zone, watched quarter by quarter around an instant: a stamp leads back to the instant it was taken at, in whichever order the rows come.</summary>
    [Fact]
    public void Stamps_lead_back_to_their_instants_in_every_zone()
    {
        TimeZoneInfo[] zones = [.. TimeZoneInfo.GetSystemTimeZones()];
        var begin = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Gen.Select(Gen.Int[0, zones.Length - 1], Gen.Int[0, 36 * 12], Gen.Bool).Sample(
            (number, months, newestFirst) =>
            {
                TimeZoneInfo zone = zones[number];
                DateTime from = begin.AddMonths(months);
                DateTime[] instants = [.. Enumerable.Range(0, 32 * 96).Select(quarter => from.AddMinutes(15 * quarter))];
                if (newestFirst)
                {
                    Array.Reverse(instants);
                }

                // Rows that begin within an hour that comes twice do not say which of the two it is.
                instants = [.. instants.SkipWhile(instant => ReplayZone.Instants(TimeZoneInfo.ConvertTimeFromUtc(instant, zone), zone) is not { } shown || shown.First != shown.Last)];
                var clock = new SourceClock(zone, newestFirst);
                foreach (DateTime instant in instants)
                {
                    DateTime stamp = DateTime.SpecifyKind(TimeZoneInfo.ConvertTimeFromUtc(instant, zone), DateTimeKind.Unspecified);
                    long? found = clock.ToUtc(stamp);
                    Assert.True(found == instant.Ticks, $"{zone.Id}: {stamp:s} is {instant:s}Z, found {(found is { } ticks ? new DateTime(ticks).ToString("s") : "no instant")}");
                }
            },
            iter: 400);
    }

    private static DateTime? Instant(string? text) => text is null ? null : DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
}
