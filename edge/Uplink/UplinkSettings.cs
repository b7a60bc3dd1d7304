using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Uplink;

/// <summary>The settings of one connection after another, until others are put in force.</summary>
/// <param name="Hub">Where the hub is.</param>
/// <param name="Uplink">How readings are sent.</param>
/// <param name="HubText">What was given for <paramref name="Hub"/>, to compare.</param>
/// <param name="UplinkText">What was given for <paramref name="Uplink"/>, to compare.</param>
internal sealed record UplinkSettings(HubOptions Hub, UplinkOptions Uplink, string HubText, string UplinkText)
{
    /// <summary>Binds the settings as the host does; they have been checked.</summary>
    public static UplinkSettings Read(IConfiguration configuration)
    {
        var hub = new HubOptions();
        configuration.GetSection(HubOptions.Section).Bind(hub);
        UplinkExtensions.Name(hub, configuration);
        var uplink = new UplinkOptions();
        configuration.GetSection(UplinkOptions.Section).Bind(uplink);
        return new UplinkSettings(hub, uplink, Text(configuration, HubOptions.Section), Text(configuration, UplinkOptions.Section));
    }

    private static string Text(IConfiguration configuration, string section) => string.Join(
        '\n',
        configuration.GetSection(section).AsEnumerable(makePathsRelative: true).Where(setting => setting.Value is not null)
            .Select(setting => $"{setting.Key.ToUpperInvariant()}={setting.Value}").Order(StringComparer.Ordinal));
}
