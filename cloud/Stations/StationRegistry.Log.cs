using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Stations;

internal sealed partial class StationRegistry
{
    [LoggerMessage(1, LogLevel.Information, "Stations loaded: {Stations} stations, {Datastreams} datastreams")]
    private partial void LogLoaded(int stations, int datastreams);

    [LoggerMessage(2, LogLevel.Information, "Station {Municipality}/{Station} registered")]
    private partial void LogRegistered(string municipality, string station);

    [LoggerMessage(3, LogLevel.Information, "Station {Municipality}/{Station} removed; its datastreams stay for history")]
    private partial void LogRemoved(string municipality, string station);

    [LoggerMessage(4, LogLevel.Information, "Station {Municipality}/{Station} has a new secret; the old one is valid until {Until:u}")]
    private partial void LogRotated(string municipality, string station, DateTime until);

    [LoggerMessage(5, LogLevel.Information, "Datastream {Datastream} created on first sight: {Municipality}/{Station} {Sensor}/{Property} over {PeriodSeconds} s")]
    private partial void LogDatastreamCreated(int datastream, string municipality, string station, string sensor, string property, int periodSeconds);

    [LoggerMessage(6, LogLevel.Error, "Datastream {Datastream} names the quantity {Property}, which this hub's catalogue does not have; it is left out")]
    private partial void LogUnknownQuantity(int datastream, string property);

    [LoggerMessage(7, LogLevel.Error, "A subscriber to changes of stations failed; the change itself is stored")]
    private partial void LogSubscriberFailed(Exception exception);

    [LoggerMessage(10, LogLevel.Information, "Station {Municipality}/{Station} has a new secret of its own making; every one before has ended")]
    private partial void LogTaken(string municipality, string station);

    [LoggerMessage(11, LogLevel.Information, "The last rotation of the secret of station {Municipality}/{Station} is undone; the one before is in force again")]
    private partial void LogTakenBack(string municipality, string station);

    [LoggerMessage(8, LogLevel.Information, "Station {Municipality}/{Station} has a new secret for the adapter {Adapter}")]
    private partial void LogAdapterSecret(string municipality, string station, string adapter);

    [LoggerMessage(9, LogLevel.Information, "The adapter {Adapter} may not speak for station {Municipality}/{Station} any more")]
    private partial void LogAdapterRevoked(string municipality, string station, string adapter);
}
