using Hub.Cloud.Database;
using System.Collections.Concurrent;
using Hub.Cloud.Notifications.Duty;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Storage;
using Hub.Cloud.Notifications.Telegram;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MimeKit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>The Notifications stage on a database file of its own and a clock that the test owns; can be stopped and started like a process.</summary>
internal sealed class NotificationsBench : IAsyncDisposable
{
    private readonly Lock clock = new();
    private ServiceProvider? services;
    private int underWay;

    public TempFolder Folder { get; } = new();

    public JumpingTime Time { get; } = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));

    public RecordedTopic Topic { get; } = new();

    public FakeCourses Courses { get; } = new();

    /// <summary>Who holds a role: user name, municipality, role.</summary>
    public List<(string Name, string Municipality, StaffRole Role)> Staff { get; } = [];

    /// <summary>Set before the start: hears every log line.</summary>
    public ILoggerProvider? Log { get; set; }

    /// <summary>Runs on the database before it is brought up to date.</summary>
    public Func<NotificationsContext, Task>? BeforeMigration { get; set; }

    public ICapAlerts CapAlerts => services!.GetRequiredService<ICapAlerts>();

    public INotifications Notifications => services!.GetRequiredService<INotifications>();

    public IDuty Duty => services!.GetRequiredService<IDuty>();

    public ISignUp SignUp => services!.GetRequiredService<ISignUp>();

    public TelegramDoor Door => services!.GetRequiredService<TelegramDoor>();

    public string MailFolder => Folder.File("mail");

    /// <summary>Every mail there is, in the order they were written.</summary>
    public IReadOnlyList<MimeMessage> Mails => Directory.Exists(MailFolder)
        ? [.. Directory.GetFiles(MailFolder, "*.eml").Select(file => (File: file, Mail: MimeMessage.Load(file))).OrderBy(one => one.Mail.Date).ThenBy(one => File.GetLastWriteTimeUtc(one.File)).Select(one => one.Mail)]
        : [];

    public static async Task<NotificationsBench> StartAsync(params (string Key, string Value)[] settings)
    {
        var bench = new NotificationsBench();
        foreach (var (key, value) in settings)
        {
            bench.Settings[key] = value;
        }

        await bench.StartAsync();
        return bench;
    }

    public Dictionary<string, string?> Settings { get; } = new() { ["Hub:Notifications:Webhook:AllowPrivateTargets"] = "true", ["Hub:PublicUrl"] = "https://hub.example.org/" };

    public async Task StartAsync()
    {
        Settings["Hub:Data"] = Folder.Path;
        var collection = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IAlarmTopic>(Topic)
            .AddSingleton<IAcknowledgeLinks, OperatorLinks>()
            .AddSingleton<IAlarmCourses>(Courses)
            .AddSingleton<IDutyHours, DayHours>()
            .AddSingleton<IRoleHolders>(new StaffList(Staff))
            .AddHubNotifications(new ConfigurationBuilder().AddInMemoryCollection(Settings).Build());
        foreach (var channel in collection.Where(service => service.ServiceType == typeof(INotificationChannel)).ToList())
        {
            collection.Remove(channel);
            collection.AddSingleton(channel.ImplementationType!);
            collection.AddSingleton<INotificationChannel>(provider => new Watched((INotificationChannel)provider.GetRequiredService(channel.ImplementationType!), this));
        }

        if (Log is not null)
        {
            collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        }

        services = collection.BuildServiceProvider();
        if (BeforeMigration is not null)
        {
            await using var db = await Contexts.CreateDbContextAsync();
            await BeforeMigration(db);
        }

        await services.MigrateNotificationsAsync(default);
        await services.GetRequiredService<DeliveryWorker>().StartAsync(default);
        await services.GetRequiredService<LetterWorker>().StartAsync(default);
        await services.GetRequiredService<DutyWorker>().StartAsync(default);
        await services.GetRequiredService<TelegramDoor>().StartAsync(default);
    }

    public async Task StopAsync()
    {
        await services!.GetRequiredService<DeliveryWorker>().StopAsync(default);
        await services!.GetRequiredService<LetterWorker>().StopAsync(default);
        await services!.GetRequiredService<DutyWorker>().StopAsync(default);
        await services!.GetRequiredService<TelegramDoor>().StopAsync(default);
        await services!.DisposeAsync();
        services = null;
    }

    public async Task<Subscriber> SubscribeAsync(ChannelKind channel, string target, string language = "en", string? rule = null, Severity min = Severity.Information) =>
        await Notifications.SaveAsync(new Subscriber(0, "braga", channel, target, language, rule, min, ""), default);

    public async Task<IReadOnlyList<Delivery>> LogAsync() => await Notifications.LogAsync("braga", 1000, default);

    public IDbContextFactory<NotificationsContext> Contexts => services!.GetRequiredService<IDbContextFactory<NotificationsContext>>();

    /// <summary>The database while the stage is stopped.</summary>
    public NotificationsContext Database() => new((DbContextOptions<NotificationsContext>)new DbContextOptionsBuilder<NotificationsContext>()
        .UseHubDatabase(new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", Folder.File("hub.db"))]).Build(), NotificationsContext.HistoryTable).Options);

    /// <summary>Lets time pass, but not while an attempt is under way: its timeout is measured by the same clock, and a busy machine takes as long as it takes.</summary>
    public void Pass(TimeSpan step)
    {
        lock (clock)
        {
            if (underWay == 0)
            {
                Time.Advance(step);
            }
        }
    }

    /// <summary>Waits until no delivery is waiting; time passes meanwhile.</summary>
    public async Task SettledAsync(TimeSpan? step = null) => await Eventually.TrueAsync(
        async () =>
        {
            Pass(step ?? TimeSpan.Zero);
            return (await LogAsync()).All(delivery => delivery.State != "waiting");
        },
        "nothing is waiting to be delivered");

    /// <summary>Waits until the only subscriber is switched off, which comes a moment after its delivery is dead.</summary>
    public async Task SwitchedOffAsync() =>
        await Eventually.TrueAsync(async () => (await Notifications.SubscribersAsync("braga", default))[0].DisabledBecause is not null, "the subscriber is switched off");

    public static AlarmMessage Message(
        string key = "night-noise-avenida-1-20260504T105400Z:started:1",
        NotificationKind kind = NotificationKind.Started,
        Severity severity = Severity.Warning,
        string rule = "night-noise") => new(
        key, kind, "night-noise-avenida-1-20260504T105400Z", "braga", "Braga", "avenida", "Avenida Central", rule, "Ruído noturno", "Night noise", severity, "laeq", "dB",
        kind == NotificationKind.Ended ? 63.25 : 72.4, kind == NotificationKind.Ended ? 65 : 70, new DateTime(2026, 5, 4, 10, 54, 0, DateTimeKind.Utc), new DateTime(2026, 5, 4, 10, 59, 0, DateTimeKind.Utc),
        kind is NotificationKind.Ended or NotificationKind.Past ? new DateTime(2026, 5, 4, 12, 16, 0, DateTimeKind.Utc) : null, 80.05, "Europe/Lisbon")
    {
        Latitude = 41.5518,
        Longitude = -8.4220,
        Public = true,
    };

    public async ValueTask DisposeAsync()
    {
        if (services is not null)
        {
            await StopAsync();
        }

        SqliteConnection.ClearAllPools();
        Folder.Dispose();
    }

    private sealed class StaffList(List<(string Name, string Municipality, StaffRole Role)> staff) : IRoleHolders
    {
        public ValueTask<IReadOnlyList<string>> HoldersAsync(StaffRole role, string municipality, CancellationToken cancellationToken)
        {
            lock (staff)
            {
                return new([.. staff.Where(one => one.Municipality == municipality && one.Role >= role).Select(one => one.Name)]);
            }
        }
    }

    /// <summary>A channel that tells the bench when an attempt is under way.</summary>
    private sealed class Watched(INotificationChannel channel, NotificationsBench bench) : INotificationChannel
    {
        public ChannelKind Kind => channel.Kind;

        public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
        {
            Count(1);
            try
            {
                return await channel.SendAsync(outgoing, cancellationToken);
            }
            finally
            {
                Count(-1);
            }
        }

        private void Count(int change)
        {
            lock (bench.clock)
            {
                bench.underWay += change;
            }
        }
    }
}

/// <summary>A clock that can go on in the moment somebody begins to wait by it.</summary>
internal sealed class JumpingTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>Called with what is to be waited for, before the wait begins.</summary>
    public Action<TimeSpan>? BeforeWait { get; set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        BeforeWait?.Invoke(dueTime);
        return base.CreateTimer(callback, state, dueTime, period);
    }
}

internal sealed class RecordedTopic : IAlarmTopic
{
    private readonly ConcurrentQueue<string> payloads = new();

    public int FailuresLeft;

    public IReadOnlyList<string> Payloads => [.. payloads];

    /// <summary>What was published, as the broker's side is told it.</summary>
    public ConcurrentQueue<AlarmMessage> Messages { get; } = new();

    public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (Interlocked.Decrement(ref FailuresLeft) >= 0)
        {
            throw new IOException("the broker is away");
        }

        Messages.Enqueue(message);
        payloads.Enqueue(System.Text.Encoding.UTF8.GetString(payload.Span));
        return ValueTask.CompletedTask;
    }
}

/// <summary>A real HTTP receiver on loopback that answers as the test says and remembers what came.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Received> received = new();

    private WebhookReceiver(WebApplication app) => this.app = app;

    public string Address { get; private set; } = "";

    /// <summary>The address without path and query.</summary>
    public string Root => Address[..Address.IndexOf("/hook", StringComparison.Ordinal)];

    public IReadOnlyList<Received> Requests => [.. received];

    /// <summary>Answers a request; gets the number of the request, from 0.</summary>
    public Func<int, HttpContext, Task> Answer { get; set; } = (_, context) => { context.Response.StatusCode = 204; return Task.CompletedTask; };

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        receiver.Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hook?token=secret";
        return receiver;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var number = received.Count;
        var timestamp = context.Request.Headers["webhook-timestamp"].ToString();
        var request = new Received(
            context.Request.Path, context.Request.Headers["webhook-id"].ToString(), timestamp.Length == 0 ? 0 : long.Parse(timestamp, null), context.Request.Headers["webhook-signature"].ToString(), body.ToArray())
        {
            Method = context.Request.Method,
            Query = context.Request.QueryString.Value ?? "",
            Headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        };
        received.Enqueue(request);
        context.Items[typeof(Received)] = request;
        await Answer(number, context);
    }

    /// <summary>The request that is being answered.</summary>
    public static Received RequestOf(HttpContext context) => (Received)context.Items[typeof(Received)]!;

    public sealed record Received(string Path, string Id, long Timestamp, string Signature, byte[] Body)
    {
        public string Method { get; init; } = "";

        public string Query { get; init; } = "";

        public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

        public string Text => System.Text.Encoding.UTF8.GetString(Body);
    }
}

/// <summary>Ana alone may acknowledge.</summary>
internal sealed class OperatorLinks : IAcknowledgeLinks
{
    public ValueTask<string?> ForAsync(AlarmMessage message, string mailAddress, CancellationToken cancellationToken) =>
        new(mailAddress == "ana@cm-braga.pt" ? "/alarms/acknowledge?token=A&B" : null);
}

/// <summary>What was observed before an alarm, as the test says.</summary>
internal sealed class FakeCourses : IAlarmCourses
{
    /// <summary>Answers; null: nothing was observed.</summary>
    public Func<DateTime, DateTime, AlarmCourse?> Answer { get; set; } = static (_, _) => null;

    public ValueTask<AlarmCourse?> OfAsync(AlarmMessage message, DateTime from, DateTime to, CancellationToken cancellationToken) => new(Answer(from, to));
}

/// <summary>Knows one schedule, <c>day</c>: 8 to 20 h by the clock of the zone.</summary>
internal sealed class DayHours : IDutyHours
{
    public void Check(string schedule)
    {
        if (schedule != "day")
        {
            throw new FormatException($"'{schedule}' is no schedule; 'day' is.");
        }
    }

    public bool IsWithin(string schedule, string zone, DateTime instant) => TimeZoneInfo.ConvertTimeFromUtc(instant, TimeZoneInfo.FindSystemTimeZoneById(zone)).Hour is >= 8 and < 20;
}
