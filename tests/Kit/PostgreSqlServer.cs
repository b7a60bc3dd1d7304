using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Xunit;

namespace Hub.Tests.Kit;

/// <summary>
/// A real PostgreSQL on a free loopback port, with a folder of its own. It does not run as root: a test program that does starts it as the user <c>postgres</c> or <c>nobody</c>. It ends with
/// this process, however that ends: a shell waits for its standard input to close. One that is not durable then leaves nothing on the disk; it is not started again.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    public const string User = "hub";

    /// <summary>Password of <see cref="User"/>, who may do everything, unless a test gives another.</summary>
    public const string Password = "only for tests";

    // Debian keeps each version in a folder of its own.
    private static readonly string? Programs = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin")).Where(folder => File.Exists(Path.Combine(folder, "postgres"))).Order(StringComparer.Ordinal).LastOrDefault()
        : null;

    private readonly TempFolder _folder = new();
    private readonly bool _isDurable;
    private Process? _shell;
    private int _databases;

    private PostgreSqlServer(bool isDurable) => _isDurable = isDurable;

    public static bool IsInstalled => Programs is not null;

    public int Port { get; } = FreePort.Next();

    private string Data => Path.Combine(_folder.Path, "data");

    /// <summary>Makes one and starts it.</summary>
    /// <param name="isDurable">Whether it waits for the disk. Who only asks whether statements are right need not.</param>
    /// <param name="password">Of <see cref="User"/>.</param>
    public static async Task<PostgreSqlServer> StartNewAsync(bool isDurable, string password = Password)
    {
        var server = new PostgreSqlServer(isDurable);
        try
        {
            await File.WriteAllTextAsync(server._folder.File("password"), password);
            await RunAsync("/bin/sh", ["-c", $"{As("chown -R USER \"$1\" && ")}:", "sh", server._folder.Path]);
            await RunAsync("/bin/sh", ["-c", $"exec {As("setpriv --reuid=USER --regid=$(id -g USER) --clear-groups ")}\"$1/initdb\" --pgdata=\"$2\" --username={User} --pwfile=\"$3\" --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync", "sh", Programs!, server.Data, server._folder.File("password")]);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where a database of it is; none need be there yet.</summary>
    public string ConnectionString(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Database={database};Username={User};Password={Password}");

    /// <summary>Makes an empty database.</summary>
    public Task MakeDatabaseAsync(string database) => RunAsync(
        Path.Combine(Programs!, "createdb"),
        ["--host", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--username", User, database],
        new Dictionary<string, string?> { ["PGPASSWORD"] = Password });

    /// <summary>Name for a database that nobody has.</summary>
    public string NextDatabase() => string.Create(CultureInfo.InvariantCulture, $"hub{Interlocked.Increment(ref _databases)}");

    /// <summary>Starts it, anew or again.</summary>
    public async Task StartAsync()
    {
        var disk = _isDurable ? "" : "-c fsync=off -c full_page_writes=off -c synchronous_commit=off";
        var log = _folder.File("log");
        _shell = Process.Start(new ProcessStartInfo(
            "/bin/sh",
            [
                "-c",
                $"""
                {As("setpriv --reuid=USER --regid=$(id -g USER) --clear-groups ")}"$1/postgres" -D "$2" -c port={Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=1000 -c shared_buffers=32MB {disk} >>"$3" 2>&1 &
                trap '' INT
                cat >/dev/null
                kill -QUIT $!
                wait
                {(_isDurable ? "" : "rm -rf \"${2%/data}\"")}
                """,
                "sh", Programs!, Data, log,
            ])
        { RedirectStandardInput = true })!;
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(_shell.HasExited, "the shell of postgres ended");
                using var client = new TcpClient();
                try
                {
                    await client.ConnectAsync("127.0.0.1", Port);
                }
                catch (SocketException)
                {
                    return false;
                }

                // It listens before it serves: what it writes into this file says when it does.
                return File.Exists(Path.Combine(Data, "postmaster.pid")) && (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid"))) is [_, _, _, _, _, _, _, var state, ..] && state.Trim() == "ready";
            },
            "postgres serves");
    }

    /// <summary>Ends it at once, as <c>pg_ctl stop -m immediate</c> does: nothing is finished and nothing flushed, the next start recovers from its log.</summary>
    public async Task StopImmediatelyAsync()
    {
        if (_shell is { } shell)
        {
            shell.StandardInput.Close();
            await shell.WaitForExitAsync();
            shell.Dispose();
            _shell = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopImmediatelyAsync();
        _folder.Dispose();
    }

    /// <summary>A part of a command that only root needs, with the user that takes its place.</summary>
    private static string As(string part) => Environment.UserName == "root"
        ? part.Replace("USER", File.ReadLines("/etc/passwd").Any(static line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody", StringComparison.Ordinal)
        : "";

    private static async Task RunAsync(string program, IEnumerable<string> arguments, Dictionary<string, string?>? variables = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables ?? [])
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await output}{await errors}");
    }
}
