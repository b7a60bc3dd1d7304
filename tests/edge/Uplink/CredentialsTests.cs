using System.Runtime.Versioning;
using CsCheck;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Protocol;

namespace Hub.Edge.Uplink.Tests;

/// <summary>A new secret from the hub: tried, kept or forgotten.</summary>
public sealed class CredentialsTests
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_new_secret_is_tried_at_once_kept_when_accepted_and_forgotten_when_refused()
    {
        string[] accepted = ["s3cret", "the-second-secret"];
        await using var fixture = new UplinkFixture { KeepsCredentials = true };
        fixture.Broker.Login = e => accepted.Contains(e.Password) ? MqttConnectReasonCode.Success : MqttConnectReasonCode.BadUserNameOrPassword;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected, "it is connected");

        Assert.Equal(RotationOutcome.Accepted, await fixture.Uplink.RotateAsync("the-second-secret", Eventually.Limit, Cancel));
        Assert.Equal("the-second-secret", Shown());
        Assert.Equal(["secret"], Directory.GetFiles(fixture.Folder.File("credentials")).Select(Path.GetFileName));
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(fixture.Folder.File("credentials/secret")) & Others);
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(fixture.Folder.File("credentials")) & Others);

        Assert.Equal(RotationOutcome.Refused, await fixture.Uplink.RotateAsync("the-third-secret", Eventually.Limit, Cancel));
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected && Shown() == "the-second-secret", "the old one is used again, at once");
        Assert.Equal(["secret"], Directory.GetFiles(fixture.Folder.File("credentials")).Select(Path.GetFileName));

        // It goes over the station file from then on, also after a restart; a hub that only knows the station's first one, as after a restored backup, gets that.
        await fixture.StopAgentAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected, "it is connected again");
        Assert.Equal("the-second-secret", Shown());
        await fixture.StopAgentAsync();
        accepted = ["s3cret"];
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected, "it is connected with the other one");
        Assert.Equal("s3cret", Shown());
        await fixture.AppendAsync(0, 10);
        await fixture.ReleasedAsync(10);
        Assert.DoesNotContain(fixture.Log, line => line.Contains("s3cret", StringComparison.Ordinal) || line.Contains("-secret", StringComparison.Ordinal));

        string Shown() => System.Text.Encoding.UTF8.GetString(fixture.Broker.Connect(fixture.Broker.Connects - 1).Password);    }

    [Fact]
    public async Task A_hub_that_is_not_there_leaves_the_old_one()
    {
        await using var fixture = new UplinkFixture { KeepsCredentials = true };
        await fixture.StartAgentAsync();

        // Nor does it know the new one when it comes: an attempt with it may still be under way.
        fixture.Broker.Login = e => e.Password == "s3cret" ? MqttConnectReasonCode.Success : MqttConnectReasonCode.BadUserNameOrPassword;
        Assert.Equal(RotationOutcome.Unreachable, await fixture.Uplink.RotateAsync("the-second-secret", TimeSpan.FromMilliseconds(300), Cancel));
        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected, "it is connected");
        Assert.Equal("s3cret", System.Text.Encoding.UTF8.GetString(fixture.Broker.Connect(fixture.Broker.Connects - 1).Password));
        Assert.Empty(Directory.GetFiles(fixture.Folder.File("credentials")));
    }

    [Fact]
    public async Task Without_a_folder_there_is_nothing_to_keep_it_in()
    {
        await using var fixture = new UplinkFixture();
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        Assert.Equal(RotationOutcome.NoFolder, await fixture.Uplink.RotateAsync("the-second-secret", Eventually.Limit, Cancel));
    }

    /// <summary>
    /// Rotations, cuts at any step, and hubs that accept now this secret and now that one: as long as the hub accepts one of those it ever accepted or was given with the station file,
    /// the station gets in within as many tries as there are secrets.
    /// </summary>
    [Fact]
    public void Whatever_happens_a_secret_that_the_hub_knows_is_found()
    {
        Gen.Int[0, 4].Array[1, 30].Sample(steps =>
        {
            using var folder = new TempFolder();
            var credentials = Make(folder);
            string given = "given", known = given;
            var number = 0;
            string? staged = null;
            foreach (var step in steps)
            {
                switch (step)
                {
                    case 0:
                        staged = $"secret-{++number}";
                        _ = credentials.Stage(staged);
                        break;
                    case 1:
                        // The hub knows the new one now.
                        known = staged ?? known;
                        break;
                    case 2:
                        // Cut: only what is on disk is left.
                        credentials = Make(folder);
                        break;
                    case 3:
                        // A hub restored from a backup.
                        known = given;
                        break;
                }

                var tries = 0;
                while (true)
                {
                    tries++;
                    if (credentials.Choose(() => given) == known)
                    {
                        credentials.Accepted();
                        break;
                    }

                    credentials.Refused();
                    Assert.True(tries < 5, "The station does not find the secret that the hub knows.");
                }

                staged = null;
            }
        });

        static Credentials Make(TempFolder folder) => new(new CredentialsFolder(folder.File("credentials")), NullLogger.Instance);
    }

    [Fact]
    public void A_cut_while_a_secret_is_written_leaves_the_old_one_or_the_new_one()
    {
        using var folder = new TempFolder();
        var path = folder.File("credentials");
        var first = new Credentials(new CredentialsFolder(path), NullLogger.Instance);
        _ = first.Stage("first-secret");
        Assert.Equal("first-secret", first.Choose(() => "given"));
        first.Accepted();

        // Every moment of the next rotation that a cut can leave: half a file beside, the new one beside, the new one in place with itself beside.
        (string Name, string? Content)[][] cuts =
        [
            [("secret.trial.new", "second-")], [("secret.trial", "second-secret\n")], [("secret.trial", "second-secret\n"), ("secret.new", "second-s")],
            [("secret.trial", "second-secret\n"), ("secret", "second-secret\n")],
        ];
        foreach (var cut in cuts)
        {
            foreach (var (name, content) in cut)
            {
                File.WriteAllText(Path.Combine(path, name), content);
            }

            var after = new Credentials(new CredentialsFolder(path), NullLogger.Instance);
            var shown = after.Choose(() => "given");
            Assert.Contains(shown, (string[])["first-secret", "second-secret"]);
            if (shown == "second-secret")
            {
                // The hub may refuse it; then it is the one before, unless that step was done.
                after.Refused();
                Assert.Contains(after.Choose(() => "given"), (string[])["first-secret", "second-secret"]);
            }

            Directory.Delete(path, recursive: true);
            Directory.CreateDirectory(path);
            File.WriteAllText(Path.Combine(path, "secret"), "first-secret\n");
        }
    }

    [Fact]
    public void The_last_64_answers_are_remembered_and_half_a_mebibyte_of_them()
    {
        var answered = new AnsweredCommands();
        for (var i = 0; i < 100; i++)
        {
            answered.Remember([(byte)i], [(byte)i]);
        }

        Assert.Null(answered.Find([35]));
        Assert.Equal([36], answered.Find([36])!.Value.ToArray());
        Assert.Equal([99], answered.Find([99])!.Value.ToArray());
        for (var i = 100; i < 110; i++)
        {
            answered.Remember([(byte)i], new byte[128 * 1024]);
        }

        Assert.Null(answered.Find([105]));
        Assert.NotNull(answered.Find([106]));
    }
}
