using CsCheck;
using Hub.Cloud.Notifications.SignUp;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class QuietHoursTests
{
    /// <summary>Zones whose clocks change by an hour, by half an hour, at midnight, twice within weeks, and never.</summary>
    private static readonly string[] Zones = ["Europe/Lisbon", "Atlantic/Azores", "Europe/Dublin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Kolkata"];

    private static readonly Gen<(QuietHours Quiet, DateTime At, TimeZoneInfo Zone)> Any =
        from zone in Gen.Int[0, Zones.Length - 1]
        from begin in Gen.Int[0, 1439]
        from length in Gen.Int[1, 1320]
        // Hours around the changes of the clock and, less often, any time of three years.
        from at in Gen.OneOf(Gen.Int[0, 3 * 366 * 1440], Around(2026, 3, 28), Around(2026, 10, 24), Around(2027, 3, 27), Around(2026, 4, 4), Around(2026, 9, 5))
        from seconds in Gen.Int[0, 59]
        select (
            new QuietHours(TimeOnly.MinValue.AddMinutes(begin), TimeOnly.MinValue.AddMinutes(begin + length)),
            new DateTime(2026, 1, 1, 0, 0, seconds, DateTimeKind.Utc).AddMinutes(at), TimeZoneInfo.FindSystemTimeZoneById(Zones[zone]));

    [Fact]
    public void What_is_held_is_held_for_as_long_as_the_clock_on_the_wall_is_quiet_and_no_longer() => Any.Sample(
        sample =>
        {
            var (quiet, at, zone) = sample;
            if (quiet.HeldUntil(at, zone) is not { } end)
            {
                return !quiet.Holds(Local(at, zone));
            }

            var quietMinutes = true;
            for (var minute = at; minute < end; minute = minute.AddMinutes(1))
            {
                quietMinutes &= quiet.Holds(Local(minute, zone));
            }

            return quietMinutes && !quiet.Holds(Local(end, zone)) && quiet.Holds(Local(end.AddSeconds(-1), zone)) && end > at && end - at <= TimeSpan.FromHours(23) && end.Second == 0;
        },
        iter: 4000, threads: 2);

    [Theory]
    // Every night; across midnight; before, in and after.
    [InlineData("22:00", "07:00", "2026-05-04T20:59:59Z", null)]
    [InlineData("22:00", "07:00", "2026-05-04T21:00:00Z", "2026-05-05T06:00:00Z")]
    [InlineData("22:00", "07:00", "2026-05-05T05:59:59Z", "2026-05-05T06:00:00Z")]
    [InlineData("22:00", "07:00", "2026-05-05T06:00:00Z", null)]
    [InlineData("13:00", "14:30", "2026-05-04T12:15:30Z", "2026-05-04T13:30:00Z")]
    // The night before 29 March 2026 has 23 hours, that before 25 October 25.
    [InlineData("22:00", "07:00", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z")]
    [InlineData("22:00", "07:00", "2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z")]
    // 01:30 does not exist: the change of the clock passes it.
    [InlineData("22:00", "01:30", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z")]
    // 01:30 happens twice: quiet until the first, and again when the clock shows a quiet time again.
    [InlineData("22:00", "01:30", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("22:00", "01:30", "2026-10-25T00:45:00Z", null)]
    [InlineData("22:00", "01:30", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z")]
    public void The_legal_time_of_the_municipality_counts(string from, string until, string at, string? expected)
    {
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        var held = new QuietHours(TimeOnly.Parse(from, invariant), TimeOnly.Parse(until, invariant)).HeldUntil(Utc(at), TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon"));
        Assert.Equal(expected is null ? null : Utc(expected), held);
    }

    private static Gen<int> Around(int year, int month, int day)
    {
        var first = (int)(new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) - new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalMinutes;
        return Gen.Int[first, first + (2 * 1440)];
    }

    private static TimeOnly Local(DateTime utc, TimeZoneInfo zone) => TimeOnly.FromTimeSpan((utc + zone.GetUtcOffset(utc)).TimeOfDay);

    private static DateTime Utc(string text) => DateTime.Parse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal);
}
