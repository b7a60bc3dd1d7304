using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// What the client of one TLS connection proves by certificate. A certificate that is not good proves nothing, but ends nothing either: the station may still have its secret, and is
/// told in words (CONNACK) rather than by a broken handshake what is wrong.
/// </summary>
internal sealed class ClientCertificates
{
    private const string CommonName = "2.5.4.3";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    /// <summary>The one common name of a certificate that chains to an authority of ours and is valid now; null when the client has none such.</summary>
    public string? Name { get; private set; }

    /// <summary>Why a certificate that was shown proves nothing; null when it does, or none was shown.</summary>
    public string? Problem { get; private set; }

    /// <summary>The authorities of a PEM file.</summary>
    /// <exception cref="BrokerStartException">The file cannot be read, or holds no certificate.</exception>
    public static X509Certificate2Collection LoadAuthorities(string file)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            return authorities.Count > 0
                ? authorities
                : throw new BrokerStartException($"Hub:Mqtt:Tls:ClientAuthorityFile '{file}' holds no certificate: give the authority's in PEM form.");
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new BrokerStartException($"Hub:Mqtt:Tls:ClientAuthorityFile '{file}' cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>Makes a handshake ask for a certificate, and note what it proves at that instant.</summary>
    public void AskFor(SslServerAuthenticationOptions handshake, X509Certificate2Collection authorities, DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // An authority of one's own rarely publishes revocation lists; removing the station shuts it out at once.
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now.LocalDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new Oid(ForClients));
        handshake.CertificateChainPolicy = policy;
        handshake.ClientCertificateRequired = true;

        // A resumed session would bring the certificate of the first handshake, which may have ended since.
        handshake.AllowTlsResume = false;
        handshake.RemoteCertificateValidationCallback = (_, certificate, _, errors) => Note(certificate, errors);
    }

    /// <summary>Notes what a certificate proves; the handshake goes on whatever that is.</summary>
    private bool Note(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return true;
        }

        // The host's name is no matter of a client's certificate.
        if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) != SslPolicyErrors.None)
        {
            Problem = errors.ToString();
            return true;
        }

        using var read = new X509Certificate2(certificate);
        string[] names = [.. read.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
            .Select(part => part.GetSingleElementValue() ?? "")];
        if (names is [{ Length: > 0 } name])
        {
            Name = name;
        }
        else
        {
            Problem = "It has not exactly one common name.";
        }

        return true;
    }
}
