using System.Buffers;
using Hub.Cloud.Ingest.Quarantine;
using Microsoft.EntityFrameworkCore;
using MQTTnet;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>Keeps the embedded broker's retained messages (status, configuration, alarms) over restarts. Called by one caller at a time.</summary>
internal sealed class RetainedMessages(IDbContextFactory<IngestDbContext> contexts)
{
    public async Task<List<MqttApplicationMessage>> LoadAsync()
    {
        await using var context = await contexts.CreateDbContextAsync().ConfigureAwait(false);
        var rows = await context.Retained.AsNoTracking().ToListAsync().ConfigureAwait(false);
        return rows.ConvertAll(row => new MqttApplicationMessage
        {
            Topic = row.Topic,
            Payload = new ReadOnlySequence<byte>(row.Payload),
            ContentType = row.ContentType,
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)row.Qos,
            Retain = true,
        });
    }

    public async Task KeepAsync(MqttApplicationMessage message)
    {
        await using var context = await contexts.CreateDbContextAsync().ConfigureAwait(false);
        if (message.Payload.IsEmpty)
        {
            await context.Retained.Where(r => r.Topic == message.Topic).ExecuteDeleteAsync().ConfigureAwait(false);
            return;
        }

        var (payload, qos) = (message.Payload.ToArray(), (int)message.QualityOfServiceLevel);
        await context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO ingest_retained ("Topic", "Payload", "ContentType", "Qos") VALUES ({message.Topic}, {payload}, {message.ContentType}, {qos})
            ON CONFLICT ("Topic") DO UPDATE SET "Payload" = excluded."Payload", "ContentType" = excluded."ContentType", "Qos" = excluded."Qos"
            """).ConfigureAwait(false);
    }
}
