namespace Hub.Cloud.Alerts;

/// <summary>What messages say of a municipality; composed by the server from the Municipalities stage. Asked from memory, by one thread at a time; must not throw.</summary>
public interface IMunicipalityDirectory
{
    /// <summary>Name shown to people, and the time zone (IANA name) in which times are written for them. For an unknown slug: the slug, and a zone of the hub's choice.</summary>
    (string Name, string Zone) Of(string municipality);
}
