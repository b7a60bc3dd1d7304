using System.Collections;
using System.Globalization;
using System.Net;
using Hub.Edge.Contract.Claims;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary><c>hub-agent claim</c>: whatever profile a station begins with, and whatever its name, the agent can run with what is written.</summary>
public sealed class ClaimCommandTests : IDisposable
{
    private static readonly string Profiles = Path.Combine(Repository.Root, "firmware-config", "stations");
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(StationProfilesTests.Profiles), MemberType = typeof(StationProfilesTests))]
    public async Task Every_profile_can_be_claimed_with(string profile)
    {
        using var desk = new ClaimDesk();
        desk.Reply = desk.Reply with { Municipality = "null", Station = "123", Name = "Praça \"Dr. João\": nº 1 # \\ 'x' {y} [z] %\u00a0\n- & *", Profile = profile };
        var (code, output, error) = await RunAsync("claim", "--hub", desk.Address, "--code", ClaimDesk.Code, "--profiles", Profiles, "--station-file", _folder.File("station.yaml"));
        Assert.True(code == 0, error);
        Assert.Contains("null/123", output, StringComparison.Ordinal);
        var values = StationFile.Read(_folder.File("station.yaml")).Values;
        Assert.Equal(("null", "123", desk.Reply.Name), (values["municipality"], values["station"], values["name"]));
        Assert.Equal("hub-agent", Assert.Single(desk.Requests).Agent.Split(' ')[0]);

        (code, _, error) = await RunAsync("check", "--station-file", _folder.File("station.yaml"));
        Assert.True(code == 0, error);
    }

    [Fact]
    public async Task A_code_that_is_not_taken_is_one_line_and_code_2()
    {
        using var desk = new ClaimDesk();
        await File.WriteAllTextAsync(_folder.File("code"), "0000-0000-0000\n", TestContext.Current.CancellationToken);
        var (code, output, error) = await RunAsync("claim", "--hub", desk.Address, "--code-file", _folder.File("code"), "--station-file", _folder.File("station.yaml"));
        Assert.Equal((2, ""), (code, output));
        Assert.Matches("^hub-agent: The hub does not take this code[^\n]*\n$", error);
    }

    [Fact]
    public async Task A_hub_out_of_reach_is_one_line_and_code_1()
    {
        var (code, _, error) = await RunAsync("claim", "--hub", $"http://127.0.0.1:{FreePort.Next()}", "--code", ClaimDesk.Code, "--station-file", _folder.File("station.yaml"));
        Assert.Equal(1, code);
        Assert.Matches("^hub-agent: http://127.0.0.1:[0-9]+ could not be asked: [^\n]*\n$", error);
    }

    [Theory]
    [InlineData("--hub", "https://x")]
    [InlineData("--hub", "https://x", "--code", "a", "--code-file", "b")]
    [InlineData("--code", "a")]
    [InlineData("--hub", "https://x", "--code-file", "/no/such/file")]
    [InlineData("--hub", "https://x", "--code", "short")]
    [InlineData("--hub", "https://x", "--code", "7K3M-Q9XT-2HWB", "--wait", "a while")]
    public async Task A_wrong_command_line_is_code_2(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(["claim", "--station-file", _folder.File("station.yaml"), .. arguments]);
        Assert.Equal(2, code);
        Assert.Matches("^(hub-agent: [^\n]*\n)+$", error);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var code = await AgentCommands.InvokeAsync(arguments, new Hashtable(), output, error, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>A hub that takes one code from anybody. No web server of ASP.NET: the agent that other tests start from this folder must find its own libraries here.</summary>
    private sealed class ClaimDesk : IDisposable
    {
        public const string Code = "7K3M-Q9XT-2HWB";

        private readonly HttpListener _listener = new();

        public ClaimDesk()
        {
            Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
            _listener.Prefixes.Add(Address + "/");
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address { get; }

        public List<ClaimRequest> Requests { get; } = [];

        public ClaimReply Reply { get; set; } = new("braga", "rotunda", "Rotunda", 41.5503, -8.4229, "127.0.0.1", 1883, false);

        /// <summary>Nobody waits for the loop: a listener that is closed while it begins to wait for a request never tells that one.</summary>
        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }

                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                var isRequest = ClaimRequest.TryRead(body.ToArray(), out var request, out _);
                if (isRequest)
                {
                    Requests.Add(request!);
                }

                context.Response.StatusCode = isRequest && request!.Code == Code ? 201 : 404;
                await context.Response.OutputStream.WriteAsync(Reply.ToUtf8());
                context.Response.Close();
            }
        }
    }
}
