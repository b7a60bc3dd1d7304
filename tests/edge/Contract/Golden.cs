namespace Hub.Edge.Contract.Tests;

/// <summary>Files of <c>golden/</c>: written once, then only read. A test that differs shows what an agent in the street would see.</summary>
internal static class Golden
{
    public static void AssertText(string name, string actual) => Assert.Equal(File.ReadAllText(Path(name)), actual);

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path(name));

    private static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "golden", name);
}
