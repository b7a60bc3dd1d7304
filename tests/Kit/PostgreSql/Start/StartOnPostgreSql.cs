using System.Runtime.CompilerServices;
using Hub.Tests.Kit.PostgreSql;

/// <summary>Compiled into each test program that refers to Hub.Tests.Kit.PostgreSql (tests/Directory.Build.targets).</summary>
internal static class StartOnPostgreSql
{
#pragma warning disable CA2255 // A program of tests, not a library.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Begin() => OnPostgreSql.Begin();
}
