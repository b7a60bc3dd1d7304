using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>
/// For tests that look at what all tests of the program share: its memory and the system's clock. One after the other, when no other test runs.
/// </summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
