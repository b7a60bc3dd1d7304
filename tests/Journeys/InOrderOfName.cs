using Xunit.Sdk;
using Xunit.v3;

namespace Hub.Tests.Journeys;

/// <summary>One demonstration is looked at by many tests, and the last of them stops it: they run in the order of their names.</summary>
public sealed class InOrderOfName : ITestMethodOrderer
{
    public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
        where TTestMethod : notnull, ITestMethod =>
        [.. testMethods.OrderBy(method => method?.MethodName, StringComparer.Ordinal)];
}
