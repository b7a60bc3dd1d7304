using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>Where the hub's relational tables are, as the settings say it.</summary>
internal abstract record DatabaseSetting
{
    /// <summary>How long a command waits while another stage, or a tool, writes; seconds.</summary>
    private const int WriterPatienceSeconds = 30;

    /// <summary>Connections at most, where the setting does not say: a server takes 100 by default, and tools come beside the hub.</summary>
    private const int ConnectionsMax = 40;

    /// <summary>Key of the file with PostgreSQL's password.</summary>
    public const string PasswordFileKey = "Hub:DatabasePasswordFile";

    /// <summary>What to connect with.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>
    /// Puts another database in the place of the one the settings name; only tests do so, to let everything that was written for SQLite run on PostgreSQL (tests/Kit). Gets SQLite's connection string.
    /// </summary>
    internal static Func<string, string?>? Instead { get; set; }

    /// <summary>A file, or memory.</summary>
    public sealed record Sqlite : DatabaseSetting;

    /// <summary>A server.</summary>
    public sealed record PostgreSql : DatabaseSetting
    {
        /// <summary>Server, database and user, for messages: never the password.</summary>
        public required string Description { get; init; }
    }

    /// <summary>Reads <c>Hub:Database</c>, <c>Hub:DatabasePasswordFile</c> and <c>Hub:Data</c>. Makes the folder of SQLite's file.</summary>
    /// <exception cref="InvalidDataException">The setting is malformed, or the password's file cannot be read; the message says what to do.</exception>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public static DatabaseSetting Read(IConfiguration configuration)
    {
        var database = configuration["Hub:Database"];
        if (IsPostgreSql(database))
        {
            return Server(database, configuration[PasswordFileKey]);
        }

        if (string.IsNullOrWhiteSpace(database))
        {
            database = Path.Combine(configuration["Hub:Data"] is { Length: > 0 } data ? data : "hub-data", "hub.db");
        }

        var builder = database.Contains('=', StringComparison.Ordinal)
            ? new SqliteConnectionStringBuilder(database)
            : new SqliteConnectionStringBuilder { DataSource = database };
        builder.DefaultTimeout = Math.Max(builder.DefaultTimeout, WriterPatienceSeconds);
        if (Instead?.Invoke(builder.ToString()) is { } other)
        {
            return Server(other, null);
        }

        if (Path.GetDirectoryName(builder.DataSource) is { Length: > 0 } folder && builder.Mode != SqliteOpenMode.Memory)
        {
            Directory.CreateDirectory(folder);
        }

        return new Sqlite { ConnectionString = builder.ToString() };
    }

    /// <summary>Whether it names a PostgreSQL: an address <c>postgresql://...</c>, or a connection string with a host.</summary>
    public static bool IsPostgreSql([NotNullWhen(true)] string? database)
    {
        if (string.IsNullOrWhiteSpace(database))
        {
            return false;
        }

        return IsAddress(database)
            || (database.Contains('=', StringComparison.Ordinal)
                && database.Split(';').Any(static part => part.Split('=')[0].Trim() is var key && (key.Equals("Host", StringComparison.OrdinalIgnoreCase) || key.Equals("Server", StringComparison.OrdinalIgnoreCase))));
    }

    private static bool IsAddress(string database) =>
        database.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || database.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    private static PostgreSql Server(string database, string? passwordFile)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = IsAddress(database) ? FromAddress(database) : new NpgsqlConnectionStringBuilder(database);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException or NotSupportedException)
        {
            // Its sentence may quote what it was given, and that may be the password.
            throw new InvalidDataException("Hub:Database is no connection string that PostgreSQL's driver understands. Write it as Host=...;Database=...;Username=..., or as postgresql://user@host/database.", exception);
        }

        if (string.IsNullOrEmpty(builder.Host))
        {
            throw new InvalidDataException("Hub:Database names no host. Write it as Host=...;Database=...;Username=..., or as postgresql://user@host/database.");
        }

        if (!string.IsNullOrEmpty(passwordFile))
        {
            builder.Password = Password(passwordFile);
        }

        if (string.IsNullOrEmpty(builder.Username))
        {
            throw new InvalidDataException("Hub:Database names no user of the PostgreSQL. Add Username=..., or write postgresql://user@host/database.");
        }

        if (string.IsNullOrEmpty(builder.Database))
        {
            builder.Database = builder.Username;
        }

        Default(builder, "Application Name", "hub");
        Default(builder, "Maximum Pool Size", ConnectionsMax);
        Default(builder, "Command Timeout", WriterPatienceSeconds);
        Default(builder, "TCP Keepalive", true);

        // As everywhere in the hub: what leaves this machine is encrypted and knows whom it speaks to, unless somebody has said that it need not.
        if (!builder.Host.Split(',').All(IsHere))
        {
            Default(builder, "SSL Mode", SslMode.VerifyFull);
        }

        return new PostgreSql
        {
            ConnectionString = builder.ConnectionString,
            Description = string.Create(CultureInfo.InvariantCulture, $"PostgreSQL at {builder.Host}:{builder.Port}, database {builder.Database}, user {builder.Username}"),
        };
    }

    private static void Default(NpgsqlConnectionStringBuilder builder, string key, object value)
    {
        if (!builder.ShouldSerialize(key))
        {
            builder[key] = value;
        }
    }

    /// <summary>A folder with sockets, or this machine.</summary>
    private static bool IsHere(string host)
    {
        var name = host.Trim();
        return name.StartsWith('/') || name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(name.Split(':') is [var address, _] ? address : name, out var ip) && IPAddress.IsLoopback(ip));
    }

    private static NpgsqlConnectionStringBuilder FromAddress(string text)
    {
        var address = new Uri(text, UriKind.Absolute);
        var builder = new NpgsqlConnectionStringBuilder { Host = address.Host.Trim('[', ']') };
        if (address.Port > 0)
        {
            builder.Port = address.Port;
        }

        if (address.UserInfo.Split(':', 2) is [{ Length: > 0 } user, ..] parts)
        {
            builder.Username = Uri.UnescapeDataString(user);
            if (parts.Length == 2)
            {
                builder.Password = Uri.UnescapeDataString(parts[1]);
            }
        }

        builder.Database = Uri.UnescapeDataString(address.AbsolutePath.Trim('/'));
        foreach (var pair in address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");
            // The names that PostgreSQL's own programs use in such addresses, and the driver's.
            (key, value) = key.ToLowerInvariant() switch
            {
                "sslmode" => ("SSL Mode", value.Replace("-", "", StringComparison.Ordinal)),
                "sslrootcert" => ("Root Certificate", value),
                "application_name" => ("Application Name", value),
                "connect_timeout" => ("Timeout", value),
                var other => (other, value),
            };
            builder[key] = value;
        }

        return builder;
    }

    private static string Password(string file)
    {
        try
        {
            var password = File.ReadAllText(file).TrimEnd('\r', '\n');
            return password.Length > 0 ? password : throw new InvalidDataException($"{PasswordFileKey} {file} is empty: put the password of PostgreSQL's user into it.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && exception is not InvalidDataException)
        {
            throw new InvalidDataException($"{PasswordFileKey} {file} cannot be read ({exception.Message.TrimEnd('.')}). Give the file with the password of PostgreSQL's user, readable for the hub's.", exception);
        }
    }
}
