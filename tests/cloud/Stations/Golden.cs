namespace Hub.Cloud.Stations.Tests;

internal static class Golden
{
    public const string MosquittoPasswdSecret = "a secret of the street";

    public const string MosquittoPasswdHash =
        "$7$101$d2EmVdWaYHC9jZGB$ImJO0Gp+6bHbNvOqxtz9Rx73Do1dLGb7tl0uxIyUhwSfwbt30Pt4UDbYmVwqQBKw/P7eS72KZq2X3cerkrHV3g==";
}
