
namespace Hub.Cloud.InfluxQl.Tests;
public sealed class AskTmp(TwoStores stores) : IClassFixture<TwoStores>
{
    [Fact]
    public async Task Ask()
    {
        foreach (var q in File.ReadAllLines("/tmp/ask.txt"))
        {
            var (a, b) = await stores.AskAsync(q);
            Console.WriteLine(q + "\n HUB " + a + "\n INF " + b + "\n DIFF " + Comparison.Difference(a, b));
        }
    }
}
