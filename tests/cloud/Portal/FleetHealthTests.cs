using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Portal.Tests;

/// <summary>How a station fares, in all its cases and at their borders; in what settings differ; which agent is on offer.</summary>
public sealed class FleetHealthTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly Station Place = new(1, "braga", "air-1", "Air", 41.5, -8.4, Public: true, "");
    private static readonly AgentView Nobody = new(Presence.Unknown, null, null, null, null);

    [Theory]
    [InlineData(0, 0, nameof(Health.Reporting))]
    [InlineData(3, 0, nameof(Health.Reporting))]
    [InlineData(3, 1, nameof(Health.Late))]
    [InlineData(24 * 60, 0, nameof(Health.Late))]
    [InlineData(24 * 60, 1, nameof(Health.Silent))]
    public void Age_decides_between_reporting_late_and_silent(int minutes, int ticks, string health) =>
        Assert.Equal(health, Of(Nobody, Value("sds011", City.Pm10, TimeSpan.FromMinutes(minutes) + TimeSpan.FromTicks(ticks))).Health.ToString());

    [Fact]
    public void Of_which_nothing_was_heard_is_not_claimed_and_whose_agent_spoke_is_silent()
    {
        Assert.Equal(Health.Unclaimed, Of(Nobody).Health);
        Assert.Equal(Health.Silent, Of(Agent(Presence.Online)).Health);
        Assert.Equal(Health.Silent, Of(Agent(Presence.Offline)).Health);

        // A computer that tells of itself only does not make a station of it.
        Assert.Equal(Health.Silent, Of(Agent(Presence.Online), Value("agent", City.Battery, TimeSpan.Zero)).Health);
    }

    [Theory]
    [InlineData("failing", true)]
    [InlineData("dead", true)]
    [InlineData("running", false)]
    [InlineData("starting", false)]
    [InlineData(null, false)]
    public void What_an_agent_says_of_a_sensor_counts_while_it_is_there(string? condition, bool isFault)
    {
        var value = Value("sds011", City.Pm10, TimeSpan.Zero);
        var (health, faults) = Of(Agent(Presence.Online, new StatusSensor("noise", "microphone", condition, ["laeq"])), value);
        Assert.Equal(isFault ? Health.Faulty : Health.Reporting, health);
        Assert.Equal(isFault ? ["noise"] : [], faults.Select(fault => fault.Sensor));
        Assert.Empty(Of(Agent(Presence.Offline, new StatusSensor("noise", "microphone", condition, ["laeq"])), value).Faults);
    }

    [Theory]
    [InlineData(Quality.Stuck, true)]
    [InlineData(Quality.OutOfRange, true)]
    [InlineData(Quality.Drift | Quality.Incomplete, true)]
    [InlineData(Quality.Spike | Quality.Step | Quality.Saturated, false)]
    [InlineData(Quality.SuspectHumidity, false)]
    [InlineData(Quality.ClockUncertain | Quality.CalibrationDue | Quality.WarmingUp | Quality.UnderRange, false)]
    public void Flags_of_an_instrument_are_a_fault_and_those_of_a_value_are_not(Quality flags, bool isFault)
    {
        var (health, faults) = Of(Nobody, Value("sds011", City.Pm10, TimeSpan.Zero, flags), Value("gas", City.No2, TimeSpan.Zero));
        Assert.Equal(isFault ? Health.Faulty : Health.Reporting, health);
        Assert.Equal(isFault ? [("sds011", flags & FleetHealth.FaultFlags)] : [], faults.Select(fault => (fault.Sensor, fault.Flags)));
    }

    [Theory]
    [InlineData(60, 0, false)]
    [InlineData(60, 1, true)]
    [InlineData(30 * 24 * 60, 0, true)]
    [InlineData(30 * 24 * 60, 1, false)]
    public void A_quantity_that_stops_while_others_go_on_is_missed_until_it_is_taken_for_gone(int minutes, int ticks, bool isFault)
    {
        var stopped = Value("gas", City.No2, TimeSpan.FromMinutes(minutes) + TimeSpan.FromTicks(ticks));
        var (health, faults) = Of(Nobody, Value("sds011", City.Pm10, TimeSpan.Zero), stopped);
        Assert.Equal(isFault ? Health.Faulty : Health.Reporting, health);
        Assert.Equal(isFault ? ["no2"] : [], faults.SelectMany(fault => fault.Missing).Select(quantity => quantity.Id));

        // Not when nothing goes on: then the whole station is late. Not when another instrument has taken over.
        Assert.Empty(Of(Nobody, stopped).Faults);
        Assert.Empty(Of(Nobody, stopped, Value("gas-2", City.No2, TimeSpan.Zero)).Faults);
    }

    [Fact]
    public void A_fault_outranks_lateness_and_silence_outranks_a_fault()
    {
        Assert.Equal(Health.Faulty, Of(Nobody, Value("sds011", City.Pm10, TimeSpan.FromMinutes(10), Quality.Stuck)).Health);
        Assert.Equal(Health.Silent, Of(Agent(Presence.Online, new StatusSensor("sds011", "sds011", "dead", ["pm10"])), Value("sds011", City.Pm10, TimeSpan.FromDays(2))).Health);
    }

    [Theory]
    [InlineData("""{"a":{"b":1,"c":2},"d":[1]}""", """{"a":{"b":1,"c":2},"d":[1]}""", "")]
    [InlineData("""{"a":{"b":1,"c":2},"d":[1]}""", """{"a":{"b":1,"c":3},"d":[1,2]}""", "a.c d")]
    [InlineData("""{"a":{"b":1}}""", null, "a.b")]
    [InlineData(null, """{"a":{"b":1}}""", "a.b")]
    [InlineData("""{"a":{"b":1}}""", """{"a":2}""", "a.b")]
    public void Settings_differ_in_named_keys(string? wanted, string? inForce, string keys) =>
        Assert.Equal(keys, string.Join(' ', SettingsDrift.Keys(Version(2, wanted), Version(1, inForce))));

    [Fact]
    public void Rules_and_agent_are_keys_too()
    {
        var with = Version(2, null) with { Agent = new AgentTarget("1.4.0", []) };
        Assert.Equal(["agent"], SettingsDrift.Keys(with, null));
    }

    [Theory]
    [InlineData("1.2.0", null, "1.4.0")]
    [InlineData("1.4.0", null, null)]
    [InlineData("1.5.0", null, null)]
    [InlineData("1.2.0", "1.3.0", "1.3.0")]
    [InlineData("1.3.0", "1.3.0", "1.4.0")]
    [InlineData(null, null, null)]
    [InlineData("my own", null, null)]
    public void The_agent_on_offer_is_the_wanted_one_or_the_newest_for_the_machine(string? running, string? wanted, string? offered)
    {
        var agent = new AgentView(Presence.Online, null, null, new ReportedState(0, TwinOutcome.None, 0, Noon, null, new ReportedAgent(running ?? "", "linux-arm64")), Noon);
        StoredBundle[] bundles = [Bundle("1.3.0", "linux-arm64"), Bundle("1.4.0", "linux-arm64"), Bundle("2.0.0", "linux-x64")];
        Assert.Equal(offered, FleetReader.OfferOf(agent, running, wanted, bundles));

        static StoredBundle Bundle(string version, string runtime) => new(version, version, runtime, 1, true, "ana", Noon);
    }

    private static Wanted Version(long version, string? settings) =>
        new(version, settings is null ? null : JsonElement.Parse(settings), [], null, null, "ana", Noon, WantedChange.Settings, null);

    private static (Health Health, IReadOnlyList<SensorFault> Faults) Of(AgentView agent, params LatestValue[] values)
    {
        DateTime? newest = values.Where(value => !Units.IsEquipment(value.Datastream.Quantity)).Max(value => value.End);
        return FleetHealth.Of(values, newest, 3 * Minute, agent, Noon);
    }

    private static AgentView Agent(Presence presence, params StatusSensor[] sensors) =>
        new(presence, new StationStatus(presence == Presence.Online, null, "hub-agent 1.2.0", Noon, sensors), Noon, null, null);

    private static LatestValue Value(string sensor, Quantity quantity, TimeSpan age, Quality quality = Quality.Good)
    {
        var stream = new Datastream(1, Place, sensor, quantity, Minute);
        return new(stream, new Observation(1, Noon - age - Minute, 5, quality), Noon - age, 3 * Minute, Freshness.IsStale(Noon - age, 3 * Minute, Noon));
    }
}
