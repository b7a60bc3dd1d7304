using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Api.Tests;

public sealed partial class DocumentTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Set HUB_WRITE_OPENAPI=1 to write the served document over the checked-in one; then read the difference.</summary>
    [Fact]
    public async Task The_document_checked_in_is_the_one_that_is_served()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client();
        var served = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json", Cancel))!.ToJsonString(new() { WriteIndented = true }).ReplaceLineEndings("\n") + "\n";
        var path = Path.Combine(Here(), "../../../cloud/Api/openapi/v1.json");
        if (Environment.GetEnvironmentVariable("HUB_WRITE_OPENAPI") == "1")
        {
            await File.WriteAllTextAsync(path, served, Cancel);
        }

        Assert.Equal(await File.ReadAllTextAsync(path, Cancel), served);
    }

    [Fact]
    public async Task Every_operation_says_what_it_is_and_every_parameter_too()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client();
        var document = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json", Cancel))!;
        var operations = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(o => (Path: p.Key, Operation: o.Value!))).ToArray();
        Assert.Equal(79, operations.Length);
        Assert.All(operations, o =>
        {
            Assert.False(string.IsNullOrEmpty((string?)o.Operation["summary"]), o.Path);
            Assert.False(string.IsNullOrEmpty((string?)o.Operation["description"]), o.Path);
            Assert.False(string.IsNullOrEmpty((string?)o.Operation["operationId"]), o.Path);
            Assert.All(
                o.Operation["parameters"]?.AsArray() ?? [],
                p => Assert.False(string.IsNullOrEmpty((string?)p!["description"]), $"{o.Path} {p["name"]}"));
        });
    }

    [Fact]
    public async Task The_reader_of_the_document_needs_nothing_from_elsewhere()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client();
        var answer = await client.GetAsync("/docs", Cancel);
        if (answer.StatusCode is System.Net.HttpStatusCode.Redirect or System.Net.HttpStatusCode.MovedPermanently or System.Net.HttpStatusCode.Found)
        {
            answer = await client.GetAsync(new Uri(new Uri("http://localhost/docs"), answer.Headers.Location!), Cancel);
        }

        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.DoesNotContain("https://", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http://", page.Replace("http://localhost", "", StringComparison.OrdinalIgnoreCase), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=\"//", page, StringComparison.OrdinalIgnoreCase);
        var scripts = Script().Matches(page).Select(m => m.Groups[1].Value).ToArray();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            var served = await client.GetAsync(new Uri(new Uri("http://localhost/docs/"), script), Cancel);
            Assert.True(served.IsSuccessStatusCode, script);
            Assert.Contains("javascript", served.Content.Headers.ContentType!.MediaType!, StringComparison.Ordinal);
            Assert.NotEmpty(await served.Content.ReadAsByteArrayAsync(Cancel));
        }
    }

    [Theory]
    [InlineData("Hub:Api:LiveClientsMax", "0")]
    [InlineData("Hub:Api:LiveInterval", "00:00:00.01")]
    [InlineData("Hub:Api:LiveHeartbeat", "01:00:00")]
    [InlineData("Hub:Api:LiveSignedInMax", "00:00:01")]
    [InlineData("Hub:Api:QueryRowsMax", "999")]
    [InlineData("Hub:Api:QueryTimeout", "00:11:00")]
    [InlineData("Hub:Api:QueriesMax", "0")]
    public async Task A_setting_out_of_range_stops_the_start_and_is_named_in_full(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync((key, value)));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex("<script[^>]*src=\"([^\"]+)\"")]
    private static partial Regex Script();
}
