using System.Globalization;
using Microsoft.Extensions.Logging;
using MQTTnet.Diagnostics.Logger;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>Passes the MQTT library's own log on at debug level: what it calls an error is mostly a client that broke the protocol, which must not fill our log.</summary>
internal sealed class LibraryLog(ILogger logger) : IMqttNetLogger
{
    /// <inheritdoc/>
    public bool IsEnabled => logger.IsEnabled(LogLevel.Debug);

    /// <inheritdoc/>
    public void Publish(MqttNetLogLevel logLevel, string source, string message, object[] parameters, Exception exception)
    {
        if (logLevel == MqttNetLogLevel.Verbose || !IsEnabled)
        {
            return;
        }

        var text = message ?? "";
        if (parameters is { Length: > 0 })
        {
            try
            {
                text = string.Format(CultureInfo.InvariantCulture, text, parameters);
            }
            catch (FormatException)
            {
                // The text as it is will do.
            }
        }

        logger.Library(exception, source, text);
    }
}
