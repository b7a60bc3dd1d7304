using System.Diagnostics;

namespace Hub.Tests.Kit;

/// <summary>
/// Makes programs that tests start. Not by writing them in this process: a child that is being started holds, until it is the other program, every file this process is just writing, and a program
/// that somebody holds for writing cannot be started ("text file busy").
/// </summary>
public static class Programs
{
    /// <summary>Writes a script that can be started.</summary>
    public static async Task WriteAsync(string path, string script)
    {
        await File.WriteAllTextAsync(path + ".text", script);
        await ShellAsync("cp \"$1.text\" \"$1\" && chmod 755 \"$1\" && rm \"$1.text\"", path);
    }

    /// <summary>Copies a program, or a folder with all that is in it, with its permissions.</summary>
    public static Task CopyAsync(string from, string to) => ShellAsync("cp -r -p \"$1\" \"$2\"", from, to);

    private static async Task ShellAsync(string command, params string[] arguments)
    {
        using var shell = Process.Start("/bin/sh", ["-c", command, "sh", .. arguments]);
        await shell.WaitForExitAsync();
        if (shell.ExitCode != 0)
        {
            throw new IOException($"{command} ended with {shell.ExitCode} for {string.Join(", ", arguments)}.");
        }
    }
}
