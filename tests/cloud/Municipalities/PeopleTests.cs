using System.Net;
using System.Text.Json;
using Hub.Tests.Kit;

namespace Hub.Cloud.Municipalities.Tests;

public sealed class PeopleTests : IDisposable
{
    private const string Good = "correct horse battery";

    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_fresh_hub_has_nobody_and_a_generated_password_opens_it()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        Assert.True(await host.People.IsEmptyAsync(Cancel));
        var password = await host.People.AddAsync("admin", null, Role.Administrator, null, Cancel);
        Assert.False(await host.People.IsEmptyAsync(Cancel));
        Assert.Equal(20, password.Length);
        Assert.DoesNotContain(password, c => "0Oo1lIi2Zz5Ss8B".Contains(c, StringComparison.Ordinal));
        Assert.NotEqual(password, PasswordMaker.Generate());
        var (browser, outcome, _) = await host.EnterAsync("ADMIN", password);
        Assert.Equal("Accepted", outcome);
        Assert.Equal("Administrator@*", await browser.GetStringAsync("/who", Cancel));
    }

    [Fact]
    public async Task A_password_needs_twelve_characters_and_nothing_else()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await host.People.AddAsync("ana", "elevenchars", Role.Viewer, null, Cancel));
        Assert.Contains("12", refused.Message, StringComparison.Ordinal);
        Assert.True(await host.People.IsEmptyAsync(Cancel));
        Assert.Equal("twelve chars", await host.People.AddAsync("ana", "twelve chars", Role.Viewer, null, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.People.ResetPasswordAsync("ana", "short", Cancel));
        Assert.Equal("Accepted", (await host.EnterAsync("ana", "twelve chars")).Outcome);
    }

    [Fact]
    public async Task A_taken_name_an_unknown_municipality_and_an_unknown_person_are_refused()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.People.AddAsync("Ana", Good, Role.Viewer, null, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.People.AddAsync("rui", Good, Role.Viewer, "nenhures", Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.People.AddAsync("rui", Good, (Role)9, null, Cancel));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.People.ResetPasswordAsync("rui", null, Cancel));
        Assert.Equal([("ana", 1)], (await host.Roles.ListAsync(Cancel)).Select(p => (p.UserName, p.Roles.Count)));
    }

    [Fact]
    public async Task Roles_of_a_municipality_do_not_reach_another()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.AddBragaAsync();
        await host.AddBragaAsync("aveiro");
        await host.People.AddAsync("ana@braga.pt", Good, Role.Operator, "braga", Cancel);
        await host.Roles.GrantAsync("ana@braga.pt", Role.Viewer, "aveiro", Cancel);
        var (browser, _, _) = await host.EnterAsync("ana@braga.pt", Good);
        Assert.Equal("Operator@braga Viewer@aveiro", await browser.GetStringAsync("/who", Cancel));
        Assert.Equal(
            [new HeldRole(Role.Viewer, "aveiro"), new HeldRole(Role.Operator, "braga")],
            (await host.Roles.ListAsync(Cancel)).Single().Roles);
    }

    [Fact]
    public async Task Who_holds_a_role_is_told_with_those_who_have_more_rights_and_without_those_of_the_whole_hub()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.AddBragaAsync();
        await host.AddBragaAsync("aveiro");
        await host.People.AddAsync("rui", Good, Role.Administrator, "braga", Cancel);
        await host.People.AddAsync("ana@braga.pt", Good, Role.Operator, "braga", Cancel);
        await host.Roles.GrantAsync("ana@braga.pt", Role.Viewer, "aveiro", Cancel);
        await host.People.AddAsync("todos", Good, Role.Administrator, null, Cancel);
        Assert.Equal(["ana@braga.pt", "rui"], await host.Roles.HoldersAsync(Role.Operator, "braga", Cancel));
        Assert.Equal(["rui"], await host.Roles.HoldersAsync(Role.Administrator, "braga", Cancel));
        Assert.Equal(["ana@braga.pt"], await host.Roles.HoldersAsync(Role.Viewer, "aveiro", Cancel));
        Assert.Empty(await host.Roles.HoldersAsync(Role.Operator, "aveiro", Cancel));
    }

    [Fact]
    public async Task A_new_password_other_roles_and_removal_end_cookie_and_token_at_once()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.AddBragaAsync();
        await host.People.AddAsync("ana", Good, Role.Operator, "braga", Cancel);
        var password = Good;
        var changes = new Func<Task>[]
        {
            async () => password = await host.People.ResetPasswordAsync("ana", null, Cancel),
            async () => await host.Roles.GrantAsync("ana", Role.Viewer, "braga", Cancel),
            async () => await host.Roles.RevokeAsync("ana", "braga", Cancel),
            async () => await host.Roles.RemoveAsync("ana", Cancel),
        };
        foreach (var (expected, change) in new[] { "Operator@braga", "Operator@braga", "Viewer@braga", "" }.Zip(changes))
        {
            var (browser, outcome, _) = await host.EnterAsync("ana", password);
            Assert.Equal("Accepted", outcome);
            var token = (await host.SignIn.IssueTokenAsync("ana", password, Cancel)).Token!.AccessToken;
            Assert.Equal(expected, await browser.GetStringAsync("/who", Cancel));
            Assert.Equal(expected, await host.WithToken(token).GetStringAsync("/who", Cancel));
            Assert.Equal(HttpStatusCode.OK, (await host.WithToken(token).GetAsync("/page", Cancel)).StatusCode);
            await change();
            Assert.Equal("", await browser.GetStringAsync("/who", Cancel));
            Assert.Equal("", await host.WithToken(token).GetStringAsync("/who", Cancel));
            Assert.Equal(HttpStatusCode.Unauthorized, (await host.WithToken(token).GetAsync("/page", Cancel)).StatusCode);
        }

        Assert.Equal("Refused", (await host.EnterAsync("ana", password)).Outcome);
    }

    [Fact]
    public async Task A_change_made_by_another_process_ends_sessions_within_the_time_promised()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Operator, null, Cancel);
        var (browser, _, _) = await host.EnterAsync("ana", Good);
        Assert.Equal("Operator@*", await browser.GetStringAsync("/who", Cancel));
        await using (var tool = await MunicipalitiesHost.StartAsync(folder))
        {
            await tool.People.ResetPasswordAsync("ana", null, Cancel);
        }

        host.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("", await browser.GetStringAsync("/who", Cancel));
    }

    [Fact]
    public async Task Five_wrong_passwords_lock_out_for_five_minutes_even_the_right_one()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        await host.People.AddAsync("rui", Good, Role.Viewer, null, Cancel);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("Refused", (await host.EnterAsync("ana", "wrong")).Outcome);
        }

        // The right one in between starts the count again.
        Assert.Equal("Accepted", (await host.EnterAsync("ana", Good)).Outcome);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => host.EnterAsync("ana", "wrong")));
        Assert.Equal("Refused", (await host.EnterAsync("ana", Good)).Outcome);
        Assert.Equal(SignInOutcome.Refused, (await host.SignIn.IssueTokenAsync("ana", Good, Cancel)).Outcome);
        Assert.Equal("Accepted", (await host.EnterAsync("rui", Good)).Outcome);
        host.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("Accepted", (await host.EnterAsync("ana", Good)).Outcome);
    }

    [Fact]
    public async Task A_new_password_ends_a_lock_out()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        for (var i = 0; i < 5; i++)
        {
            await host.EnterAsync("ana", "wrong");
        }

        var password = await host.People.ResetPasswordAsync("ana", null, Cancel);
        Assert.Equal("Accepted", (await host.EnterAsync("ana", password)).Outcome);
    }

    [Fact]
    public async Task Nobody_is_refused_like_somebody_with_a_wrong_password()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        Assert.Equal("Refused", (await host.EnterAsync("nobody", Good)).Outcome);
        Assert.Equal("Refused", (await host.EnterAsync("", "")).Outcome);
        Assert.Equal("Refused", (await host.EnterAsync("nobody", new string('x', 2_000))).Outcome);
    }

    [Fact]
    public async Task More_attempts_at_once_than_can_wait_are_told_to_come_back()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);

        // Threads of their own: checking a password never yields, so tasks of the pool would come one after the other.
        using var together = new Barrier(100);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait(Cancel);
                return host.SignIn.IssueTokenAsync($"nobody{i}", Good, Cancel).AsTask();
            },
            Cancel,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));
        Assert.Contains(outcomes, o => o.Outcome == SignInOutcome.Busy);
        Assert.Contains(outcomes, o => o.Outcome == SignInOutcome.Refused);
        Assert.Equal(SignInOutcome.Accepted, (await host.SignIn.IssueTokenAsync("ana", Good, Cancel)).Outcome);
    }

    [Fact]
    public async Task A_token_ends_with_its_time_and_a_cookie_when_unused()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        var token = (await host.SignIn.IssueTokenAsync("ana", Good, Cancel)).Token!;
        Assert.Equal(host.Time.GetUtcNow().UtcDateTime.AddHours(1), token.ExpiresAt);
        var (browser, _, _) = await host.EnterAsync("ana", Good);
        Assert.Equal("Viewer@*", await host.WithToken(token.AccessToken).GetStringAsync("/who", Cancel));
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("", await host.WithToken(token.AccessToken).GetStringAsync("/who", Cancel));
        Assert.Equal("Viewer@*", await browser.GetStringAsync("/who", Cancel));
        host.Time.Advance(TimeSpan.FromHours(12));
        Assert.Equal("", await browser.GetStringAsync("/who", Cancel));
    }

    [Fact]
    public async Task A_token_that_was_tampered_with_is_nobodys()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        var token = (await host.SignIn.IssueTokenAsync("ana", Good, Cancel)).Token!.AccessToken;
        var middle = token.Length / 2;
        var forged = token[..middle] + (token[middle] == 'A' ? 'B' : 'A') + token[(middle + 1)..];
        Assert.Equal("", await host.WithToken(forged).GetStringAsync("/who", Cancel));
        Assert.Equal("", await host.WithToken("x").GetStringAsync("/who", Cancel));
    }

    [Fact]
    public async Task The_cookie_is_closed_to_scripts_and_other_sites_and_survives_a_restart_of_the_hub()
    {
        HttpClient browser;
        string? cookie;
        await using (var host = await MunicipalitiesHost.StartAsync(folder))
        {
            await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
            (browser, _, cookie) = await host.EnterAsync("ana", Good);
        }

        Assert.Contains("httponly", cookie!, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie!, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(Directory.GetFiles(folder.File("keys")));

        await using var again = await MunicipalitiesHost.StartAsync(folder);
        var client = again.Client();
        client.DefaultRequestHeaders.Add("Cookie", cookie!.Split(';')[0]);
        Assert.Equal("Viewer@*", await client.GetStringAsync("/who", Cancel));
    }

    [Fact]
    public async Task A_page_leads_to_the_login_and_the_api_answers_with_a_problem()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        var page = await host.Client().GetAsync("/page", Cancel);
        Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
        Assert.Equal("/login", page.Headers.Location!.AbsolutePath);

        foreach (var (path, status, code) in new[] { ("/api/v1/thing", 401, "sign-in-needed"), ("/api/v1/forbidden", 403, "not-allowed") })
        {
            var answer = await host.Client().GetAsync(path, Cancel);
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
            Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Leaving_takes_the_cookie_back()
    {
        await using var host = await MunicipalitiesHost.StartAsync(folder);
        await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        var (browser, _, _) = await host.EnterAsync("ana", Good);
        var answer = await browser.PostAsync("/leave", null, Cancel);
        Assert.Contains("hub=;", answer.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_password_is_in_the_database()
    {
        await using (var host = await MunicipalitiesHost.StartAsync(folder))
        {
            await host.People.AddAsync("ana", Good, Role.Viewer, null, Cancel);
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Assert.All(Directory.GetFiles(folder.Path), file =>
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(Good))));
    }
}
