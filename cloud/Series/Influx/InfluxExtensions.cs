using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>The store on InfluxDB as a service; used only when it is chosen.</summary>
internal static class InfluxExtensions
{
    public static void AddInfluxSeries(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<InfluxOptions>().Bind(configuration.GetSection(InfluxOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<InfluxOptions>, InfluxOptionsValidator>();
        services.AddSingleton<InfluxInstruments>();
        services.AddSingleton<InfluxSeries>();
    }

    public static bool IsOnInflux(this IServiceProvider services) => services.GetRequiredService<IOptions<SeriesOptions>>().Value.Store == SeriesStore.Influx;
}
