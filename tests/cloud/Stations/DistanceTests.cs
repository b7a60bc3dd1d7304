namespace Hub.Cloud.Stations.Tests;

public sealed class DistanceTests
{
    [Theory]
    // A degree of latitude; half and a quarter of the way around; across the date line; Braga to Aveiro.
    [InlineData(41, -8, 42, -8, 111_195.08)]
    [InlineData(0, 0, 0, 180, 20_015_114.44)]
    [InlineData(90, 0, 0, 77, 10_007_557.22)]
    [InlineData(0, 179.5, 0, -179.5, 111_195.08)]
    [InlineData(41, -8, 41, -8, 0)]
    [InlineData(41.55, -8.42, 40.64, -8.65, 103_006.63)]
    public void Metres_are_those_of_the_mean_sphere(double latitude, double longitude, double otherLatitude, double otherLongitude, double metres)
    {
        Assert.Equal(metres, Distance.Metres(latitude, longitude, otherLatitude, otherLongitude), 0.01);
        Assert.Equal(metres, Distance.Metres(otherLatitude, otherLongitude, latitude, longitude), 0.01);
    }
}
