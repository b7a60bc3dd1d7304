using CsCheck;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Uplink.Tests;

public sealed class UplinkDecisionsTests
{
    private static readonly TimeSpan Min = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Max = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(0, 0, 0.25)]
    [InlineData(0, 1, 0.5)]
    [InlineData(1, 1, 1)]
    [InlineData(3, 0, 2)]
    [InlineData(6, 1, 32)]
    [InlineData(7, 1, 60)]
    [InlineData(7, 0, 30)]
    [InlineData(1_000_000, 1, 60)]
    public void Pauses_double_up_to_the_limit_and_are_spread(int attempt, double random, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), UplinkDecisions.Pause(attempt, random, Min, Max));

    [Fact]
    public void A_pause_is_always_within_its_limits() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Double[0, 1]).Sample((attempt, random) =>
        {
            var pause = UplinkDecisions.Pause(attempt, random, Min, Max);
            Assert.InRange(pause, Min / 2, Max);
        });

    [Fact]
    public void Failures_in_a_row_wait_longer_work_begins_anew_and_a_refused_login_waits_for_a_person()
    {
        var options = new UplinkOptions();
        var attempt = 0;
        var pauses = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            (var pause, attempt) = UplinkDecisions.Reconnect(SessionEnd.Lost, attempt, 1, options);
            pauses.Add(pause.TotalSeconds);
        }

        Assert.Equal([0.5, 1, 2, 4, 8, 16, 32, 60, 60], pauses);
        Assert.Equal((TimeSpan.FromSeconds(30), attempt), UplinkDecisions.Reconnect(SessionEnd.Unauthorised, attempt, 1, options));
        Assert.Equal((TimeSpan.FromSeconds(30), attempt), UplinkDecisions.Reconnect(SessionEnd.TakenOver, attempt, 1, options));
        Assert.Equal((TimeSpan.FromSeconds(0.5), 1), UplinkDecisions.Reconnect(SessionEnd.LostAfterWork, attempt, 1, options));
    }

    [Theory]
    [InlineData(0x00, "Taken")]
    [InlineData(0x10, "Later")]
    [InlineData(0x80, "Later")]
    [InlineData(0x83, "Refused")]
    [InlineData(0x87, "Forbidden")]
    [InlineData(0x89, "Later")]
    [InlineData(0x90, "Forbidden")]
    [InlineData(0x91, "Later")]
    [InlineData(0x97, "Later")]
    [InlineData(0x99, "Refused")]
    [InlineData(0xFF, "Later")]
    public void Every_reason_code_has_its_verdict(int code, string verdict) => Assert.Equal(verdict, UplinkDecisions.Judge(code).ToString());

    [Theory]
    [InlineData(8, null, 8)]
    [InlineData(8, 65535, 8)]
    [InlineData(8, 3, 3)]
    [InlineData(8, 0, 8)]
    public void The_window_is_the_smaller_of_both_sides(int ours, int? theirs, int window) => Assert.Equal(window, UplinkDecisions.Window(ours, (ushort?)theirs));

    [Theory]
    [InlineData(100, 100, 0, false)]
    [InlineData(100, 900, 0, false)]
    [InlineData(100, 901, 0, true)]
    [InlineData(100, 90_000, 7, true)]
    [InlineData(100, 90_000, 8, false)]
    public void What_is_sent_first_gives_way_when_it_is_behind_by_more_than_may_be_in_flight(long next, long live, int backlogs, bool behind) =>
        Assert.Equal(behind, UplinkDecisions.IsBehind(next, live, backlogs, new UplinkOptions()));

    [Theory]
    [InlineData(5000, 100)]
    [InlineData(10, 100)]
    [InlineData(333, 7)]
    public void A_pace_is_kept_whatever_the_size_of_the_packs(int perSecond, int pack)
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(perSecond, time);
        long sent = 0;
        for (var elapsed = TimeSpan.Zero; elapsed < TimeSpan.FromMinutes(10);)
        {
            var rest = pace.Rest();
            if (rest == TimeSpan.Zero)
            {
                pace.Took(pack);
                sent += pack;

                // The room of the first second, and at most one pack ahead of it.
                Assert.True(sent <= (perSecond * (elapsed.TotalSeconds + 1)) + pack, $"{sent} after {elapsed}");
            }

            time.Advance(rest);
            elapsed += rest;
        }

        Assert.InRange(sent, perSecond * 600 * 0.98, (perSecond * 601) + pack);
    }

    [Fact]
    public void Without_a_pace_nothing_rests()
    {
        var pace = new Pace(0, new FakeTimeProvider());
        for (var i = 0; i < 100; i++)
        {
            pace.Took(1_000_000);
            Assert.Equal(TimeSpan.Zero, pace.Rest());
        }
    }

    [Theory]
    [InlineData("Agent:Hub:Address", "hub.example.pt", "Agent:Hub:Tls is off and Agent:Hub:Address 'hub.example.pt' is another machine; switch Tls on, or set Agent:Hub:PlainAllowed in a closed network.")]
    [InlineData("Agent:Hub:Port", "70000", "Agent:Hub:Port is 70000; give 1 to 65535.")]
    [InlineData("Agent:Hub:Secret", "", "Agent:Hub:SecretFile is not given; give the file with the station's secret.")]
    [InlineData("Agent:Hub:SecretFile", "/no/such/file", "Agent:Hub:SecretFile '/no/such/file' does not exist.")]
    [InlineData("Agent:Hub:CaFile", "/no/such/file", "Agent:Hub:CaFile '/no/such/file' does not exist.")]
    [InlineData("Agent:Hub:KeyFile", "/no/such/file", "Agent:Hub:KeyFile '/no/such/file' does not exist.; Agent:Hub:CertificateFile and Agent:Hub:KeyFile go together; give both or neither.")]
    [InlineData("Agent:Station", "Not A Slug", "Agent:Station is 'Not A Slug'; give 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter or digit.")]
    public void Hub_options_are_checked_with_the_full_key(string key, string value, string message) =>
        Assert.Equal(message, Assert.Throws<OptionsValidationException>(() => { _ = Services((key, value)).GetRequiredService<IOptions<HubOptions>>().Value; }).Message);

    [Theory]
    [InlineData("Agent:Hub:PlainAllowed", "true")]
    [InlineData("Agent:Hub:Tls", "true")]
    [InlineData("Agent:Hub:Address", "localhost")]
    [InlineData("Agent:Hub:Address", "::1")]
    public void Plain_connections_are_for_this_machine_or_by_explicit_leave(string key, string value)
    {
        var services = Services(("Agent:Hub:Address", "10.0.0.1"), (key, value));
        Assert.NotNull(services.GetRequiredService<IOptions<HubOptions>>().Value);
    }

    [Theory]
    [InlineData("PackReadings", "0", "Agent:Uplink:PackReadings is 0; give 1 to 2000.")]
    [InlineData("BacklogReadingsPerSecond", "-1", "Agent:Uplink:BacklogReadingsPerSecond is -1; give 0 to 1000000.")]
    [InlineData("Window", "101", "Agent:Uplink:Window is 101; give 1 to 100.")]
    [InlineData("RetryDelayMax", "00:00:00.1", "Agent:Uplink:RetryDelayMax is 00:00:00.1000000; give 00:00:00.5000000 to 01:00:00.")]
    [InlineData("StatusExpiry", "00:01:00", "Agent:Uplink:StatusExpiry is 00:01:00; give 00:02:00 to 1.00:00:00.")]
    [InlineData("AckTimeout", "00:00:00", "Agent:Uplink:AckTimeout is 00:00:00; give 00:00:01 to 00:10:00.")]
    public void Uplink_options_are_checked_with_the_full_key(string key, string value, string message) =>
        Assert.Equal(
            message, Assert.Throws<OptionsValidationException>(() => { _ = Services(($"Agent:Uplink:{key}", value)).GetRequiredService<IOptions<UplinkOptions>>().Value; }).Message);

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var values = new Dictionary<string, string?> { ["Agent:Municipality"] = "braga", ["Agent:Station"] = "avenida", ["Agent:Hub:Secret"] = "x" };
        foreach (var (key, value) in settings)
        {
            values[key] = value;
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        return new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddHubUplink(configuration).AddHubUplink(configuration).BuildServiceProvider();
    }
}
