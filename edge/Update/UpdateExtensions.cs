using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Update;

/// <summary>Registers the update.</summary>
public static class UpdateExtensions
{
    /// <summary>
    /// Adds <see cref="IUpdate"/> with section <c>Agent:Update</c>; switched off unless a key file is given. Uses a registered <see cref="HubPages"/> and <see cref="StationHealth"/>. Safe to
    /// call twice. Add it before whoever calls <see cref="IUpdate.WantAsync"/>: it then knows what became of the last update.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="version">Version of the program, for when no manifest stands beside it.</param>
    public static IServiceCollection AddHubUpdate(this IServiceCollection services, IConfiguration configuration, string version)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(IUpdate)))
        {
            return services;
        }

        services.AddOptions<UpdateOptions>().Bind(configuration.GetSection(UpdateOptions.Section)).Configure(options =>
        {
            if (string.IsNullOrEmpty(options.CaFile))
            {
                options.CaFile = configuration["Agent:Hub:CaFile"];
            }
        }).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<UpdateOptions>, UpdateOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<UpdateInstruments>();
        services.TryAddSingleton(provider => RunningAgent.Find(AppContext.BaseDirectory, provider.GetRequiredService<IOptions<UpdateOptions>>().Value.Root, version));
        services.TryAddSingleton(provider => BootClock.OfThisMachine(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(Make);
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<IUpdate>() as IHostedService ?? new Nothing());
        return services;
    }

    private static IUpdate Make(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<UpdateOptions>>().Value;
        var running = provider.GetRequiredService<RunningAgent>();
        var time = provider.GetRequiredService<TimeProvider>();

        // A trial that was begun is finished whatever the settings say now: who switched updates off meanwhile does not want a roll-back.
        var folders = new SlotFolders(options.Root);
        if (!options.IsOn && folders.ReadTrial() is null)
        {
            return new NoUpdate(running, options.Enabled ? "update.keyFiles of the station file is empty: this station trusts nobody's agents." : "update.enabled is false in the station file.", time);
        }

        var (hub, others) = BundleDownload.Clients(Authorities(options.CaFile));
        var pages = provider.GetService<HubPages>() ?? new HubPages(null, "", () => null);
        return new UpdateService(
            options, running, folders, provider.GetRequiredService<BootClock>(), new BundleDownload(hub, others, pages, options, FreeBytes, time),
            provider.GetService<StationHealth>() ?? new StationHealth(_ => []), provider.GetRequiredService<IHostApplicationLifetime>(), provider.GetRequiredService<UpdateInstruments>(), time,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Update"));
    }

    internal static long FreeBytes(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private static X509Certificate2Collection? Authorities(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // An authority that cannot be read is none: nothing is believed, the download says so, the agent runs.
        }

        return authorities;
    }

    private sealed class Nothing : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
