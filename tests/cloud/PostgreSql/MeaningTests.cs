using System.Text;
using Hub.Cloud.Database;
using Hub.Tests.Kit;
using Hub.Tests.Kit.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.PostgreSql.Tests;

/// <summary>What statements mean on the file of SQLite and on a real PostgreSQL: the same.</summary>
public sealed class MeaningTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Databases => ["SQLite", "PostgreSQL"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Nobody_writes_between_what_a_transaction_reads_and_what_it_writes(string database)
    {
        const int Writers = 6;
        const int Times = 10;
        var open = await OpenAsync(database);
        await using (var context = open())
        {
            context.Add(new Thing { Name = "counter" });
            await context.SaveChangesAsync(Stop);
        }

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(
            async () =>
            {
                for (var time = 0; time < Times; time++)
                {
                    await using var context = open();
                    switch (writer % 3)
                    {
                        case 0:
                            // A stricter isolation than is needed must not be refused either.
                            await using (var transaction = await context.Database.BeginTransactionAsync(writer == 0 ? System.Data.IsolationLevel.Serializable : System.Data.IsolationLevel.Unspecified, Stop))
                            {
                                var thing = await context.Set<Thing>().SingleAsync(row => row.Name == "counter", Stop);
                                thing.Count++;
                                await context.SaveChangesAsync(Stop);
                                await transaction.CommitAsync(Stop);
                            }

                            break;
                        case 1:
                            await context.Set<Thing>().Where(row => row.Name == "counter").ExecuteUpdateAsync(set => set.SetProperty(row => row.Count, row => row.Count + 1), Stop);
                            break;
                        default:
                            Assert.Equal(1, await context.Database.ExecuteSqlAsync($"UPDATE things SET \"Count\" = \"Count\" + {1} WHERE \"Name\" = {"counter"}", Stop));
                            break;
                    }
                }
            },
            Stop)));
        await using var reader = open();
        Assert.Equal(Writers * Times, (await reader.Set<Thing>().SingleAsync(Stop)).Count);
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Instants_text_and_refusals_mean_the_same(string database)
    {
        var open = await OpenAsync(database);
        var at = new DateTime(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc).AddTicks(1234567);
        string[] names = ["b", "B", "_", "é", "Z", "aa", "A", "z ", "ç", "10", "9"];
        await using (var context = open())
        {
            context.AddRange(names.Select((name, number) => new Thing { Name = name, At = at.AddTicks(number) }));
            await context.SaveChangesAsync(Stop);
        }

        await using (var context = open())
        {
            Assert.Equal(names.OrderBy(name => Convert.ToHexString(Encoding.UTF8.GetBytes(name)), StringComparer.Ordinal), await context.Set<Thing>().OrderBy(row => row.Name).Select(row => row.Name).ToListAsync(Stop));
            Assert.Equal(["A"], await context.Set<Thing>().Where(row => row.Name == "A").Select(row => row.Name).ToListAsync(Stop));
            var third = at.AddTicks(2);
            var found = await context.Set<Thing>().SingleAsync(row => row.At == third, Stop);
            Assert.Equal((third, DateTimeKind.Utc, "_"), (found.At, found.At.Kind, found.Name));
            Assert.Equal(names.Length - 3, await context.Set<Thing>().CountAsync(row => row.At > third, Stop));
            Assert.Equal(at.AddTicks(names.Length - 1), await context.Set<Thing>().MaxAsync(row => row.At, Stop));
            context.Add(new Thing { Name = "A" });
            Assert.True(DatabaseFault.IsRefusedByRule(await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(Stop))));
        }

        await using (var context = open())
        {
            context.Add(new Thing { Name = "x\0y" });
            await context.SaveChangesAsync(Stop);
            var stored = database == "SQLite" ? "x\0y" : "x\ufffdy";
            Assert.Equal(1, await context.Set<Thing>().AsNoTracking().CountAsync(row => row.Name == stored, Stop));
        }
    }

    [Fact]
    public void Text_that_PostgreSQL_refuses_is_mended_and_other_text_is_the_same()
    {
        Assert.Equal("a\ufffdb\ufffd😀", StorableText.Of("a\0b\ud800😀"));
        var fine = "Ação 😀";
        Assert.Equal(fine, StorableText.Of(fine));
    }

    [Theory]
    [InlineData("\"Unsettled\" = 1", "\"Unsettled\"")]
    [InlineData("MemberOf IS NOT NULL", "\"MemberOf\" IS NOT NULL")]
    [InlineData("\"Key\" IS NOT NULL AND \"HandedAt\" IS NULL", "\"Key\" IS NOT NULL AND \"HandedAt\" IS NULL")]
    public void A_condition_of_an_index_is_said_in_PostgreSQLs_words(string sqlite, string expected) => Assert.Equal(expected, PostgreSqlModel.Condition(sqlite));

    private async Task<Func<ThingsContext>> OpenAsync(string database)
    {
        var place = database == "SQLite" ? _folder.File("hub.db") : await OnPostgreSql.NewDatabaseAsync();
        var options = new DbContextOptionsBuilder<ThingsContext>();
        options.UseHubDatabase(new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", place)]).Build(), "things_history");
        await using var context = new ThingsContext(options.Options);
        var creator = context.Database.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(Stop))
        {
            await creator.CreateAsync(Stop);
        }

        await creator.CreateTablesAsync(Stop);
        return () => new ThingsContext(options.Options);
    }

    private sealed class Thing
    {
        public long Id { get; init; }

        public required string Name { get; init; }

        public DateTime At { get; init; } = DateTime.UnixEpoch;

        public long Count { get; set; }
    }

    private sealed class ThingsContext(DbContextOptions<ThingsContext> options) : DbContext(options)
    {
        protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) => configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Thing>(thing =>
        {
            thing.ToTable("things");
            thing.Property(row => row.Name).HasMaxLength(1);
            thing.HasIndex(row => row.Name).IsUnique();
        });

        private sealed class UtcConverter() : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<DateTime, DateTime>(v => v, v => DateTime.SpecifyKind(v, DateTimeKind.Utc));
    }
}
