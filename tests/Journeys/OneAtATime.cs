using Xunit;

// Each journey runs a city of programs: side by side they would only wait for each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
