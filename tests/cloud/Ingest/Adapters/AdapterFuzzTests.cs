using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;
using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Ingest.Adapters.Airrohr;
using Hub.Cloud.Ingest.Adapters.Telraam;
using Hub.Cloud.Ingest.Adapters.ThingsStack;
using Hub.Edge.Contract.Encoding;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

/// <summary>Recorded pushes with bytes changed, cut, doubled and put in: an adapter never throws, and what it takes is always fit for the store.</summary>
public sealed class AdapterFuzzTests
{
    private static readonly byte[][] Tokens =
    [
        .. ((string[])["\"", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "0.0000001", "\"\\ud800\"", "\\u0000", "9999999999999999999999", "\"NaN\"", "é", "value", "uptime", "date", "[[[[[["]).Select(Encoding.UTF8.GetBytes),
        [0xFF],
        [0x00],
    ];

    private static readonly Gen<(int Kind, int At, int Length, int Token)> Change = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4_000], Gen.Int[1, 40], Gen.Int[0, 22]);

    [Fact]
    public void Mutated_airrohr_pushes_never_throw() => Fuzz(
        new AirrohrAdapter(),
        ["airrohr/push-sds011-bme280.json", "airrohr/push-bme280-only.json", "airrohr/debug-log-dht22-nrz-2024.json"],
        new Dictionary<string, string> { ["pin"] = "11" });

    [Fact]
    public void Mutated_uplinks_never_throw() => Fuzz(
        new ThingsStackAdapter(Options.Create(new IngestOptions())),
        [
            "things-stack/Milesight_AM319/ThingsStackCommunity-payload_1.json", "things-stack/Milesight_WS302/ThingsStackCommunity-payload.json",
            "things-stack/Elsys_ERS2_Sound/ThingsStackIndustries-payload.json", "things-stack/Decentlab_DL-PM/ThingsStackCommunity-payload.json",
        ],
        new Dictionary<string, string> { ["model"] = "milesight-iot/am319" },
        new Dictionary<string, string> { ["model"] = "elsys/ers-sound", ["period"] = "60" },
        new Dictionary<string, string> { ["model"] = "decentlab/dl-pm" });

    [Fact]
    public void Mutated_reports_never_throw()
    {
        var report = Encoding.UTF8.GetBytes(TelraamTests.Recorded().ToJsonString());
        Check(new TelraamAdapter(), [report], AdapterPush.NoContext);
    }

    [Fact]
    public void Random_bytes_of_a_device_are_read_or_refused()
    {
        var codecs = DeviceTable.Load(null).Models.Where(m => m.Codec is not null).ToArray();
        Assert.Equal(5, codecs.Length);
        Gen.Byte.Array[0, 60].Sample(
            bytes =>
            {
                foreach (var model in codecs)
                {
                    var fields = new List<(string Name, double Value)>();
                    var rest = model.Codec!.Decode(bytes, fields);
                    Assert.All(fields, f => Assert.True(double.IsFinite(f.Value) && model.Fields.ContainsKey(f.Name), f.Name));
                    Assert.True(rest is not null || fields.Count > 0 || bytes.Length is 0 or 5);
                }
            },
            iter: 500);
    }

    /// <summary>Through the whole way in: whatever is sent, there is an answer, it adds up, and nothing is logged as a bug (the host looks).</summary>
    [Fact]
    public async Task Mutated_pushes_are_answered_and_add_up()
    {
        await using var bench = await AdapterBench.StartAsync();
        (string Adapter, string Query, byte[] Body)[] pushes =
        [
            ("airrohr", "", Encoding.UTF8.GetBytes(AdapterBench.Sample("airrohr/push-sds011-bme280.json"))),
            ("things-stack", "?model=milesight-iot/am319", Encoding.UTF8.GetBytes(AdapterBench.Sample("things-stack/Milesight_AM319/ThingsStackCommunity-payload.json"))),
            ("telraam", "", Encoding.UTF8.GetBytes(TelraamTests.Recorded().ToJsonString())),
        ];
        var bodies = new List<(int Push, byte[] Body)>();
        Gen.Select(Gen.Int[0, 2], Change.Array[1, 3]).Sample(
            (push, changes) =>
            {
                lock (bodies)
                {
                    bodies.Add((push, Mutate(pushes[push].Body, changes)));
                }
            },
            iter: 60);
        foreach (var (push, body) in bodies)
        {
            var (status, answer) = await bench.PostAsync(pushes[push].Adapter, body, pushes[push].Query);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity, $"{status}: {answer}");
            var receipt = (int)status < 400 ? answer : answer.GetProperty("receipt");
            Assert.Equal(
                receipt.GetProperty("received").GetInt32(),
                receipt.GetProperty("stored").GetInt32() + receipt.GetProperty("corrected").GetInt32() + receipt.GetProperty("duplicate").GetInt32() + receipt.GetProperty("quarantined").GetInt32());
        }

        IngestHost.AssertAddUp(bench.Host.Counters);
    }

    private static void Fuzz(IStationAdapter adapter, string[] samples, params IReadOnlyDictionary<string, string>[] contexts) =>
        Check(adapter, [.. samples.Select(s => Encoding.UTF8.GetBytes(AdapterBench.Sample(s)))], [AdapterPush.NoContext, .. contexts]);

    private static void Check(IStationAdapter adapter, byte[][] samples, params IReadOnlyDictionary<string, string>[] contexts)
    {
        Gen.Select(Gen.Int[0, samples.Length - 1], Gen.Int[0, contexts.Length - 1], Change.Array[1, 6]).Sample(
            (sample, context, changes) =>
            {
                var push = new AdapterPush(Mutate(samples[sample], changes), AdapterBench.Now, contexts[context]);
                var translation = Translation.Of(adapter, push);
                Assert.All(translation.Readings, r => Assert.Null(ReadingRules.Problem(r.Reading)));
                Assert.All(translation.Readings, r => Assert.Equal(0, r.Reading.PhenomenonTime.Ticks % TimeSpan.TicksPerMicrosecond));
                foreach (var (refusal, kept) in translation.Refused)
                {
                    Assert.NotEmpty(refusal.Detail);

                    // What is kept can be opened again, and says the same.
                    var bytes = refusal.RecordIndex < 0 ? translation.Payload : kept;
                    if (refusal.Reason is not (RefusalReason.Malformed or RefusalReason.TooLarge) && bytes.Length > 0)
                    {
                        var opened = AdapterEnvelope.Open(adapter, bytes, AdapterBench.Now);
                        Assert.Equal(push.Context.OrderBy(c => c.Key), opened.Context.OrderBy(c => c.Key));
                        Assert.NotEmpty(Translation.Of(adapter, opened).Refused);
                    }
                }
            },
            iter: 500);
    }

    private static byte[] Mutate(byte[] sample, (int Kind, int At, int Length, int Token)[] changes)
    {
        var bytes = new List<byte>(sample);
        foreach (var (kind, position, wanted, token) in changes)
        {
            var at = position % (bytes.Count + 1);
            var length = Math.Min(wanted, bytes.Count - at);
            switch (kind)
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 2:
                    bytes.InsertRange(at, Tokens[token]);
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] = (byte)(bytes[at] ^ (1 << (wanted % 8)));
                    break;
                case 4:
                    // A value in place of a value, so that what follows stays JSON.
                    var colon = bytes.IndexOf((byte)':', at);
                    var end = colon < 0 ? -1 : bytes.FindIndex(colon, b => b is (byte)',' or (byte)'}');
                    if (end > colon)
                    {
                        bytes.RemoveRange(colon + 1, end - colon - 1);
                        bytes.InsertRange(colon + 1, Tokens[token]);
                    }

                    break;
            }
        }

        return [.. bytes];
    }
}
