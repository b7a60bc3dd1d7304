namespace Hub.Tests.Kit;

/// <summary>How often a slow proof repeats what chance decides (moments of kills, histories): few times in CI, many in the long run, <c>HUB_TESTS=long .ci/test</c>.</summary>
public static class Repeats
{
    /// <summary>True in the long run.</summary>
    public static bool AreMany { get; } = string.Equals(Environment.GetEnvironmentVariable("HUB_TESTS"), "long", StringComparison.Ordinal);

    /// <summary>One of two counts.</summary>
    /// <param name="few">In CI.</param>
    /// <param name="many">In the long run.</param>
    public static int Of(int few, int many) => AreMany ? many : few;
}
