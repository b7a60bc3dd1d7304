using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hub.Tests.Kit;

/// <summary>A certificate authority of a test's own, nobody else's: certificates for servers on this machine, directly or through a subordinate authority.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly TestAuthority? _superior;

    /// <param name="superior">Who signs this one; null for a root.</param>
    public TestAuthority(TestAuthority? superior = null)
    {
        _superior = superior;
        var request = new CertificateRequest($"CN=Test authority {Guid.NewGuid():N}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        if (superior is null)
        {
            _certificate = request.CreateSelfSigned(From, Until);
        }
        else
        {
            using var signed = request.Create(superior._certificate, From, Until, Serial());
            _certificate = signed.CopyWithPrivateKey(_key);
        }
    }

    /// <summary>The authority's own certificate, as people are given it to trust.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>Issues a certificate for addresses and names, with its key.</summary>
    public X509Certificate2 Issue(params string[] names) => Issue(From, names);

    /// <summary>As above, for a certificate that is not valid before an instant.</summary>
    public X509Certificate2 Issue(DateTimeOffset from, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var issued = request.Create(_certificate, from, Until, Serial());
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>Issues a certificate to a client by its common name, with its key.</summary>
    public X509Certificate2 IssueClient(string commonName, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var issued = request.Create(_certificate, from ?? From, until ?? Until, Serial());
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>Issues a certificate into two files as servers want them: the certificate and the subordinate authorities after it; the key.</summary>
    public void IssueFiles(string certificateFile, string keyFile, params string[] names)
    {
        using var certificate = Issue(names);
        var chain = certificate.ExportCertificatePem() + "\n";
        for (var authority = this; authority._superior is not null; authority = authority._superior)
        {
            chain += authority.Pem + "\n";
        }

        File.WriteAllText(certificateFile, chain);
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static byte[] Serial() => [1, .. RandomNumberGenerator.GetBytes(8)];
}
