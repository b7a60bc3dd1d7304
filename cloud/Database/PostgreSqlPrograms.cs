using System.Globalization;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>What PostgreSQL's own programs (<c>pg_dump</c>, <c>pg_restore</c>) need to reach the hub's database.</summary>
public static class PostgreSqlPrograms
{
    /// <summary>Environment variables of libpq, the password among them: a command line could be read by everybody on the machine.</summary>
    /// <param name="configuration">The hub's settings, which name a PostgreSQL.</param>
    /// <exception cref="InvalidDataException">The setting is malformed, or names SQLite.</exception>
    public static IReadOnlyDictionary<string, string> Variables(IConfiguration configuration)
    {
        var builder = new NpgsqlConnectionStringBuilder(Server(configuration).ConnectionString);
        var variables = new Dictionary<string, string>
        {
            ["PGHOST"] = builder.Host!,
            ["PGPORT"] = builder.Port.ToString(CultureInfo.InvariantCulture),
            ["PGDATABASE"] = builder.Database!,
            ["PGUSER"] = builder.Username!,
            ["PGAPPNAME"] = "hub",
            ["PGSSLMODE"] = builder.SslMode switch
            {
                SslMode.VerifyCA => "verify-ca",
                SslMode.VerifyFull => "verify-full",
                var mode => mode.ToString().ToLowerInvariant(),
            },
        };
        Add("PGPASSWORD", builder.Password);
        Add("PGPASSFILE", builder.Passfile);
        Add("PGSSLROOTCERT", builder.RootCertificate);
        Add("PGSSLCERT", builder.SslCertificate);
        Add("PGSSLKEY", builder.SslKey);
        return variables;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                variables[name] = value;
            }
        }
    }

    /// <summary>Whether no hub has ever stored anything in the database.</summary>
    /// <param name="configuration">The hub's settings, which name a PostgreSQL.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NpgsqlException">The server cannot be asked (<see cref="DatabaseFault"/>).</exception>
    /// <exception cref="InvalidDataException">The setting is malformed, or names SQLite.</exception>
    public static async Task<bool> IsEmptyAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(Server(configuration).ConnectionString);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand("SELECT NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static DatabaseSetting.PostgreSql Server(IConfiguration configuration) =>
        DatabaseSetting.Read(configuration) as DatabaseSetting.PostgreSql ?? throw new InvalidDataException("Hub:Database names no PostgreSQL.");
}
