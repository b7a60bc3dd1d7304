using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Hub.Cloud.Notifications;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Signing up where people may choose how they are told: by mail, SMS or on Telegram.</summary>
public sealed partial class SignUpChannelTests : IAsyncLifetime
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private readonly TempFolder folder = new();
    private readonly ConcurrentQueue<string> texts = new();
    private WebApplication world = null!;
    private PortalHost host = null!;

    public async ValueTask InitializeAsync()
    {
        // One server plays the gateway of SMS and Telegram's Bot API.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        world = builder.Build();
        world.Run(AnswerAsync);
        await world.StartAsync(Cancel);
        var address = world.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)), signUpFolder: folder.Path, settings: values =>
        {
            values["Hub:Notifications:Sms:Url"] = address + "/sms";
            values["Hub:Notifications:Sms:AllowPrivateTargets"] = "true";
            values["Hub:Notifications:Telegram:BaseUrl"] = address;
            values["Hub:Notifications:Telegram:Token"] = "123456789:AAHsecretSECRETsecretSECRETsecret";
            values["Hub:Notifications:SignUp:Channels:0"] = "Mail";
            values["Hub:Notifications:SignUp:Channels:1"] = "Sms";
            values["Hub:Notifications:SignUp:Channels:2"] = "Telegram";
        });
        await Eventually.TrueAsync(() => host.App.Services.GetRequiredService<ISignUp>().Channels.Contains(ChannelKind.Telegram), "the bot's name is known");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await world.DisposeAsync();
        SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Theory]
    [InlineData("912 345 678", "+351912345678")]
    [InlineData("+34 (612) 345-678", "+34612345678")]
    [InlineData("0034 612.345.678", "+34612345678")]
    public async Task A_number_gets_an_SMS_with_the_link_however_it_is_written(string typed, string number)
    {
        using var browser = host.Browser();
        using var sent = await PostAsync(browser, "/subscribe", await HowAsync(browser), Fields(new("channel", "sms"), new("phone", typed)));
        Assert.Equal("/subscribe?step=sent-sms", sent.Headers.Location?.OriginalString);
        Assert.Contains("Veja as suas mensagens", Good(await Text(browser, "/subscribe?step=sent-sms")).Text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => !texts.IsEmpty, "the SMS is sent");
        var text = texts.Single();
        Assert.Contains($"\"{number}\"", text, StringComparison.Ordinal);
        var confirm = Link().Match(text).Groups["address"].Value;
        using var confirmed = await PostAsync(browser, confirm, Good(await Text(browser, confirm)));
        Assert.Contains(number, WebUtility.HtmlDecode(Good(await Text(browser, confirmed.Headers.Location!.OriginalString)).Text), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_Telegram_the_page_leads_to_the_chat_and_is_kept_by_nobody()
    {
        using var browser = host.Browser();
        using var answer = await PostAsync(browser, "/subscribe", await HowAsync(browser), Fields(new KeyValuePair<string, string>("channel", "telegram")));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        var page = Good(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Contains(page.Tags, tag => tag.Name == "a" && Regex.IsMatch(tag["href"] ?? "", @"^https://t\.me/braga_alertas_bot\?start=[A-Za-z0-9_-]{50}$"));
        Assert.Empty(texts);
    }

    [Theory]
    [InlineData("sms", "phone", "12345")]
    [InlineData("sms", "phone", "")]
    [InlineData("mail", "email", "nobody")]
    [InlineData("pigeon", "email", "")]
    public async Task A_mistake_is_told_at_the_field_of_the_channel_chosen(string channel, string field, string typed)
    {
        using var browser = host.Browser();
        using var answer = await PostAsync(browser, "/subscribe", await HowAsync(browser), Fields(new("channel", channel), new(field, typed)));
        var page = Good(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Contains(page.Tags, tag => tag["id"] == field && (tag["value"] ?? "") == typed && tag["aria-describedby"] == "problem-" + field && tag["aria-invalid"] == "true");
        Assert.Contains(page.Tags, tag => tag["id"] == "channel-" + (channel == "sms" ? "sms" : "mail") && tag["checked"] is not null);
        Assert.Empty(texts);
    }

    [Fact]
    public async Task The_link_to_the_preferences_is_asked_for_by_number_and_the_chat_is_named()
    {
        using var browser = host.Browser();
        var form = Good(await Text(browser, "/subscriptions"));
        Assert.Contains("/settings", form.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(form.Tags, tag => tag["id"] == "channel-telegram");
        using var bad = await PostAsync(browser, "/subscriptions?handler=Link", form, new("channel", "sms"), new("phone", "x"));
        Assert.Contains(Good(await bad.Content.ReadAsStringAsync(Cancel)).Tags, tag => tag["id"] == "problem-phone");
        using var asked = await PostAsync(browser, "/subscriptions?handler=Link", form, new("channel", "sms"), new("phone", "912345678"));
        Assert.Equal("/subscriptions?done=sent", asked.Headers.Location?.OriginalString);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using StreamReader body = new(context.Request.Body);
        var text = await body.ReadToEndAsync(context.RequestAborted);
        var method = context.Request.Path.Value!.Split('/')[^1];
        if (method == "sms")
        {
            texts.Enqueue(text);
        }
        else if (method == "getUpdates")
        {
            // Nobody writes: as long as the bot waits.
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await context.Response.WriteAsync("""{"ok":true,"result":{"username":"braga_alertas_bot"}}""");
    }

    private static KeyValuePair<string, string>[] Fields(params KeyValuePair<string, string>[] how) =>
        [new("place", "braga/avenida-central"), new("radius", "2000"), new("what", "property:pm2_5"), new("level", "1"), new("language", "pt"), .. how];

    private static async Task<Html> HowAsync(HttpClient browser)
    {
        var how = Good(await Text(browser, "/subscribe?place=braga&step=3"));
        Assert.Equal(["mail", "sms", "telegram"], how.Tags.Where(tag => tag["name"] == "channel").Select(tag => tag["value"]));
        return how;
    }

    private static Html Good(string text)
    {
        var html = Html.Read(text);
        Assert.Empty(html.Faults);
        return html;
    }

    private static async Task<string> Text(HttpClient browser, string path)
    {
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string path, Html page, params KeyValuePair<string, string>[] fields)
    {
        var token = page.Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!;
        using FormUrlEncodedContent content = new([.. fields, new("__RequestVerificationToken", token)]);
        return await browser.PostAsync(path, content, Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [GeneratedRegex(@"https://hub\.example\.org(?<address>/[a-z/]+\?t=[A-Za-z0-9_-]+)")]
    private static partial Regex Link();
}
