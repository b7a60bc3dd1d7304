// A hub takes ports, the terminal and two cores: one test at a time.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
