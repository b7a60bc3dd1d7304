using BigGustave;
using Hub.Cloud.Notifications.Mail;
using Hub.Tests.Kit;
using MimeKit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>The picture in the mail shows what was observed, the level and the alarm's time, and no mail waits for it.</summary>
public sealed class AlarmPictureTests
{
    private static readonly DateTime Noon = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    /// <summary>A level value of 60 with one of 80 in the hour of the alarm.</summary>
    private static AlarmCourse Course(DateTime to) => new(
        to.AddHours(-24), to, TimeSpan.FromMinutes(10),
        [.. Enumerable.Range(0, 144).Select(i => (At: to.AddHours(-24).AddMinutes(10 * i), Loud: i >= 138)).Select(at => at.Loud ? new CoursePoint(at.At, 80, 79, 81) : new CoursePoint(at.At, 60, 58, 62))]);

    private static AlarmMessage Message => NotificationsBench.Message() with { ConditionAt = Noon.AddHours(-1), Datastream = 7, DrawnLevel = 70 };

    [Fact]
    public void Line_level_and_time_are_where_they_belong()
    {
        var picture = AlarmPicture.Draw(Course(Noon), Message, Lisbon);
        Assert.Equal((58.0, 81.0), (picture.Low, picture.High));
        var png = Png.Open(picture.Png);
        Assert.Equal((AlarmPicture.Width, AlarmPicture.Height), (png.Width, png.Height));

        // The scale is 58 to 81 with 8 % above and below.
        Assert.True(IsLine(png, 300, RowOf(60)), "the line at 60 in the night");
        Assert.True(IsLine(png, 1100, RowOf(80)), "the line at 80 in the alarm");
        Assert.False(IsLine(png, 300, RowOf(80)));
        Assert.Equal((185, 28, 28), Colour(png, 4, RowOf(70)));
        Assert.Equal((255, 255, 255), Colour(png, 20, RowOf(70)));
        Assert.Equal((254, 226, 226), Colour(png, 1100, RowOf(65)));
        Assert.Equal((255, 255, 255), Colour(png, 1000, RowOf(65)));
        Assert.Equal((190, 218, 222), Colour(png, 300, RowOf(58.8)));
    }

    [Fact]
    public void Nothing_is_drawn_where_nothing_was_observed_and_no_level_that_is_none()
    {
        var whole = Course(Noon);
        var course = whole with { Points = [.. whole.Points.Where(point => point.At < Noon.AddHours(-18) || point.At >= Noon.AddHours(-6))] };
        var png = Png.Open(AlarmPicture.Draw(course, Message with { DrawnLevel = null }, Lisbon).Png);
        for (var row = 0; row < AlarmPicture.Height; row++)
        {
            Assert.Equal((255, 255, 255), Colour(png, 400, row));
        }

        Assert.True(IsLine(png, 100, RowOf(60)));
    }

    [Fact]
    public void One_value_that_never_changes_is_a_line_in_the_middle()
    {
        var course = new AlarmCourse(Noon.AddHours(-24), Noon, TimeSpan.FromMinutes(10), [new CoursePoint(Noon.AddHours(-12), 0, 0, 0)]);
        var png = Png.Open(AlarmPicture.Draw(course, Message with { DrawnLevel = null, ConditionAt = Noon }, Lisbon).Png);
        Assert.True(IsLine(png, 562, AlarmPicture.Height / 2));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(-10.0, -8)]
    [InlineData(-0.5, 0)]
    public void It_ends_when_the_message_was_queued_or_soon_after_what_is_long_over(double? endedHours, double toHours)
    {
        var message = Message with { EndedAt = endedHours is { } hours ? Noon.AddHours(hours) : null };
        Assert.Equal((Noon.AddHours(toHours - 24), Noon.AddHours(toHours)), AlarmPicture.StretchOf(message, Noon));
    }

    [Theory]
    [InlineData("pt", "Nestas 24 horas, de 58 dB a 81 dB. A linha tracejada é o limite de 70 dB.", "03/05 13:00 (UTC+1)")]
    [InlineData("en", "In these 24 hours, from 58 dB to 81 dB. The dashed line is the limit of 70 dB.", "3 May 13:00 (UTC+1)")]
    public async Task A_mail_carries_it_inside_and_says_what_it_shows(string language, string caption, string from)
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Courses.Answer = (_, to) => Course(to);
        await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org", language);
        await bench.Notifications.EnqueueAsync(Message, default);
        await bench.SettledAsync();
        var mail = Assert.Single(bench.Mails);
        var image = Assert.Single(mail.BodyParts.OfType<MimePart>(), part => part.ContentType.IsMimeType("image", "png"));
        Assert.Contains($"src=\"cid:{image.ContentId}\"", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains(caption.Replace(" dB", "&#160;dB", StringComparison.Ordinal), mail.HtmlBody!.Replace("&#237;", "í", StringComparison.Ordinal).Replace("&#233;", "é", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains(from, mail.HtmlBody, StringComparison.Ordinal);
        using var content = new MemoryStream();
        await image.Content!.DecodeToAsync(content);
        Assert.Equal(AlarmPicture.Width, Png.Open(content.ToArray()).Width);
        Assert.InRange(content.Length, 100, 64 * 1024);
    }

    [Fact]
    public async Task A_mail_goes_out_without_it_when_the_store_is_away_and_has_none_of_an_alarm_that_never_was()
    {
        var lines = new RecordedLog();
        await using var bench = new NotificationsBench { Log = lines };
        await bench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        bench.Courses.Answer = (_, _) => throw new IOException("the store is away");
        await bench.Notifications.EnqueueAsync(Message with { Key = "a:started:1" }, default);
        await bench.SettledAsync();
        bench.Courses.Answer = (_, to) => Course(to);
        await bench.Notifications.EnqueueAsync(Message with { Key = "b:corrected:1", Kind = NotificationKind.Corrected, Withdrawn = true }, default);
        await bench.Notifications.EnqueueAsync(Message with { Key = "c:started:1", Datastream = 0 }, default);
        await bench.SettledAsync();
        Assert.Equal(3, bench.Mails.Count);
        Assert.All(bench.Mails, mail => Assert.DoesNotContain("cid:", mail.HtmlBody, StringComparison.Ordinal));
        Assert.Contains(lines.Lines, line => line.Contains("The mail about a:started:1 goes out without its picture.", StringComparison.Ordinal));
    }

    private static int RowOf(double value) => (int)Math.Round(((81 + 1.84) - value) / (23 + 3.68) * (AlarmPicture.Height - 1));

    private static (int, int, int) Colour(Png png, int column, int row) => png.GetPixel(column, row) is var pixel ? (pixel.R, pixel.G, pixel.B) : default;

    private static bool IsLine(Png png, int column, int row) => Colour(png, column, row) == (11, 95, 105);
}
