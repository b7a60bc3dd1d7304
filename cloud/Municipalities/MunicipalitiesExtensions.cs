using Hub.Cloud.Database;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities;

/// <summary>Registration of the Municipalities stage.</summary>
public static class MunicipalitiesExtensions
{
    /// <summary>
    /// Name of the default authentication scheme: a request with an <c>Authorization: Bearer</c> header is judged by it, any other by its cookie.
    /// </summary>
    public const string Scheme = "Hub";

    /// <summary>Address of the Portal's login page, to which requests for pages are sent when they need somebody signed in.</summary>
    public const string LoginPath = "/login";

    /// <summary>Code of the problem with which an API request is answered that needs somebody signed in (401).</summary>
    public const string SignInNeeded = "sign-in-needed";

    /// <summary>Code of the problem with which an API request is answered whose sender may not do it (403).</summary>
    public const string NotAllowed = "not-allowed";

    /// <summary>
    /// Registers <see cref="IMunicipalities"/>, <see cref="IPeople"/>, <see cref="IRoles"/>, <see cref="ISignIn"/>, cookie and bearer token authentication and data
    /// protection with its keys in <c>keys</c> under <c>Hub:Data</c>. Settings from <c>Hub:Municipalities</c>; database from <c>Hub:Database</c> (default
    /// <c>hub.db</c> in <c>Hub:Data</c>). Safe to call twice. Call <see cref="MigrateMunicipalitiesAsync"/> before use, and <c>UseAuthentication</c> in the pipeline.
    /// </summary>
    public static IServiceCollection AddHubMunicipalities(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(s => s.ServiceType == typeof(People)))
        {
            return services;
        }

        services.AddOptions<MunicipalitiesOptions>().Bind(configuration.GetSection(MunicipalitiesOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MunicipalitiesOptions>, MunicipalitiesOptionsValidator>());
        services.AddMetrics();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<MunicipalitiesInstruments>();
        services.AddDbContextFactory<MunicipalitiesDatabase>(database => database.UseHubDatabase(configuration, MunicipalitiesDatabase.MigrationsTable));
        services.AddSingleton<MunicipalityRegister>();
        services.AddHostedService<MunicipalityWatch>();
        services.AddSingleton<IMunicipalities>(provider => provider.GetRequiredService<MunicipalityRegister>());
        services.AddSingleton<People>();
        services.AddSingleton<IPeople>(provider => provider.GetRequiredService<People>());
        services.AddSingleton<IRoles>(provider => provider.GetRequiredService<People>());
        services.AddSingleton<ISignIn, SignIn>();
        services.AddSingleton<SessionGuard>();
        AddIdentity(services);
        AddSchemes(services);

        var keys = Path.Combine(configuration["Hub:Data"] ?? "hub-data", "keys");
        services.AddDataProtection().SetApplicationName("Hub").PersistKeysToFileSystem(new DirectoryInfo(keys));
        return services;
    }

    /// <summary>Brings the stage's tables up to date and loads all municipalities into memory. The server calls it once, before it starts anything else.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateMunicipalitiesAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        var databases = services.GetRequiredService<IDbContextFactory<MunicipalitiesDatabase>>();
        await using (var database = await databases.CreateDbContextAsync(cancellationToken))
        {
            await database.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken);
        }

        await services.GetRequiredService<MunicipalityRegister>().LoadAsync(cancellationToken);
    }

    private static void AddIdentity(IServiceCollection services)
    {
        services.AddIdentityCore<Person>(identity =>
            {
                // Length is what makes a password strong; rules of composition only make it hard to remember.
                identity.Password.RequiredLength = 12;
                identity.Password.RequireDigit = false;
                identity.Password.RequireLowercase = false;
                identity.Password.RequireUppercase = false;
                identity.Password.RequireNonAlphanumeric = false;
                identity.Password.RequiredUniqueChars = 1;
            })
            .AddEntityFrameworkStores<MunicipalitiesDatabase>()
            .AddClaimsPrincipalFactory<RoleClaims>();

        // Hashes with no state: shared, so that the decoy is made once.
        services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<Person>, PasswordHasher<Person>>());
    }

    private static void AddSchemes(IServiceCollection services)
    {
        services.AddAuthentication(Scheme)
            .AddPolicyScheme(Scheme, null, policy => policy.ForwardDefaultSelector = context =>
                context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
                    ? IdentityConstants.BearerScheme
                    : IdentityConstants.ApplicationScheme)
            .AddBearerToken(IdentityConstants.BearerScheme, token => token.Events.OnMessageReceived = ReceiveAsync)
            .AddCookie(IdentityConstants.ApplicationScheme, cookie =>
            {
                cookie.Cookie.Name = "hub";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                cookie.LoginPath = LoginPath;
                cookie.AccessDeniedPath = LoginPath;
                cookie.SlidingExpiration = true;
                cookie.Events.OnValidatePrincipal = ValidateAsync;
                cookie.Events.OnRedirectToLogin = context => AnswerAsync(context, StatusCodes.Status401Unauthorized, SignInNeeded, "Nobody is signed in");
                cookie.Events.OnRedirectToAccessDenied = context => AnswerAsync(context, StatusCodes.Status403Forbidden, NotAllowed, "Not allowed");
            });
        services.AddOptions<CookieAuthenticationOptions>(IdentityConstants.ApplicationScheme)
            .Configure<IOptions<MunicipalitiesOptions>>((cookie, options) => cookie.ExpireTimeSpan = options.Value.CookieLife);
        services.AddOptions<BearerTokenOptions>(IdentityConstants.BearerScheme)
            .Configure<IOptions<MunicipalitiesOptions>>((token, options) => token.BearerTokenExpiration = options.Value.TokenLife);
    }

    /// <summary>Takes the cookie of an ended session back, so that the browser stops sending it.</summary>
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var guard = context.HttpContext.RequestServices.GetRequiredService<SessionGuard>();
        if (context.Principal is null || !await guard.IsCurrentAsync(context.Principal))
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(IdentityConstants.ApplicationScheme);
        }
    }

    /// <summary>Refuses the token of an ended session; whether it is genuine and still good is the handler's to say.</summary>
    private static async Task ReceiveAsync(MessageReceivedContext context)
    {
        const string prefix = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
            && context.Options.BearerTokenProtector.Unprotect(header[prefix.Length..]) is { } ticket
            && !await context.HttpContext.RequestServices.GetRequiredService<SessionGuard>().IsCurrentAsync(ticket.Principal))
        {
            context.Fail("The session has ended: the person's password or roles have changed since.");
        }
    }

    /// <summary>A program that calls the API gets a problem to read; a browser gets the login page.</summary>
    private static async Task AnswerAsync(RedirectContext<CookieAuthenticationOptions> context, int status, string code, string title)
    {
        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Redirect(context.RedirectUri);
            return;
        }

        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(
            new Dictionary<string, object> { ["type"] = $"urn:hub:problem:{code}", ["title"] = title, ["status"] = status, ["code"] = code },
            (System.Text.Json.JsonSerializerOptions?)null,
            "application/problem+json",
            context.HttpContext.RequestAborted);
    }
}
