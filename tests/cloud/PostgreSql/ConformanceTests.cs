using System.Globalization;
using Hub.Cloud.Database;
using Hub.Tests.Kit;
using Hub.Tests.Kit.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.PostgreSql.Tests;

/// <summary>What the stages rely on, of the file of SQLite and of a real PostgreSQL.</summary>
public sealed class ConformanceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Databases => ["SQLite", "PostgreSQL"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task All_nine_stages_have_what_their_models_say_and_every_kind_of_row_comes_back_as_it_was(string database)
    {
        var contexts = await ContextsAsync(database);
        Assert.Equal(9, contexts.Count);
        foreach (var context in contexts)
        {
            await using (context)
            {
                Assert.False(context.Database.HasPendingModelChanges(), $"{context.GetType().Name}: its model has what its migrations lack; for SQLite they are in its stage, for PostgreSQL here (cloud/PostgreSql/README.md)");
                Assert.Empty(await context.Database.GetPendingMigrationsAsync(Stop));
                var made = new Dictionary<IEntityType, object>();
                foreach (var type in InOrder(context.Model))
                {
                    var row = Activator.CreateInstance(type.ClrType, nonPublic: true)!;
                    var entry = context.Entry(row);
                    foreach (var property in type.GetProperties())
                    {
                        var principal = property.GetContainingForeignKeys().Select(key => key.PrincipalEntityType).FirstOrDefault(made.ContainsKey);
                        if (principal is not null && principal != type)
                        {
                            entry.Property(property).CurrentValue = context.Entry(made[principal]).Property(principal.FindPrimaryKey()!.Properties[0]).CurrentValue;
                        }
                        else if (property.ValueGenerated is not ValueGenerated.OnAdd || !property.IsPrimaryKey())
                        {
                            entry.Property(property).CurrentValue = Sample(property);
                        }
                    }

                    context.Add(row);
                    await context.SaveChangesAsync(Stop);
                    made[type] = row;
                }

                var expected = made.ToDictionary(pair => pair.Key, pair => (Key: Key(context, pair.Key, pair.Value), Values: Values(context, pair.Key, pair.Value)));
                context.ChangeTracker.Clear();
                foreach (var (type, (key, values)) in expected)
                {
                    var found = await context.FindAsync(type.ClrType, key, Stop);
                    Assert.NotNull(found);
                    Assert.Equal(values, Values(context, type, found));
                }
            }
        }
    }

    private static IEnumerable<IEntityType> InOrder(IModel model)
    {
        var left = model.GetEntityTypes().ToList();
        var done = new HashSet<IEntityType>();
        while (left.Find(type => type.GetForeignKeys().All(key => done.Contains(key.PrincipalEntityType) || key.PrincipalEntityType == type)) is { } next)
        {
            left.Remove(next);
            done.Add(next);
            yield return next;
        }

        Assert.Empty(left);
    }

    private static object?[] Key(DbContext context, IEntityType type, object row) => [.. type.FindPrimaryKey()!.Properties.Select(property => context.Entry(row).Property(property).CurrentValue)];

    private static List<string> Values(DbContext context, IEntityType type, object row) =>
    [
        .. type.GetProperties().Select(property => $"{property.Name}={context.Entry(row).Property(property).CurrentValue switch
        {
            byte[] bytes => Convert.ToHexString(bytes),
            DateTime time => $"{time:O} {time.Kind}",
            IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
            var other => other?.ToString() ?? "none",
        }}"),
    ];

    private static object? Sample(IProperty property)
    {
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        // Those that a stage stores as microseconds by itself have no more.
        var ticks = property.GetValueConverter()?.GetType().DeclaringType?.Name is "IngestDbContext" or "AuditContext" or "RetentionContext" or "QualityContext" ? 1234560L : 1234567L;
        return type switch
        {
            _ when type == typeof(string) => "Ação 'x' \\ \"y\" ; 😀 ~",
            _ when type == typeof(DateTime) => new DateTime(2026, 11, 28, 2, 3, 4, DateTimeKind.Utc).AddTicks(ticks),
            _ when type == typeof(DateTimeOffset) => new DateTimeOffset(2026, 11, 28, 2, 3, 4, TimeSpan.Zero).AddTicks(1234567),
            _ when type == typeof(bool) => true,
            _ when type == typeof(byte[]) => new byte[] { 0, 1, 255 },
            _ when type == typeof(double) => 0.1 + 0.2,
            _ when type == typeof(long) => long.MaxValue - 1,
            _ when type == typeof(int) => int.MaxValue - 1,
            _ when type == typeof(byte) => (byte)200,
            _ when type == typeof(Guid) => Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
            _ when type.IsEnum => Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1),
            _ => throw new NotSupportedException($"{property.DeclaringType.ClrType.Name}.{property.Name} is a {type.Name}: give it a sample here, and see that both databases keep it."),
        };
    }

    private async Task<IReadOnlyList<DbContext>> ContextsAsync(string database)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", await PlaceAsync(database))]).Build();
        var contexts = StageContexts.All(configuration);
        foreach (var context in contexts)
        {
            await context.Database.MigrateHubAsync(TimeProvider.System, Stop);
        }

        return contexts;
    }

    private async Task<string> PlaceAsync(string database) => database == "SQLite" ? _folder.File("hub.db") : await OnPostgreSql.NewDatabaseAsync();
}
