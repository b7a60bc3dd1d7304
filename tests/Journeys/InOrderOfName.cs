using Xunit.Sdk;
using Xunit.v3;

namespace Hub.Tests.Journeys;

/// <summary>One demonstration is looked at by many tests, and the last of them stops it: they run in the order of their names.</summary>
public sealed class InOrderOfName : ITestCaseOrderer
{
    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase =>
        [.. testCases.OrderBy(test => test.TestMethod?.MethodName, StringComparer.Ordinal)];
}
