using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities;

/// <summary>Puts a person's roles into the claims of a new session, as <see cref="Rights"/> reads them.</summary>
internal sealed class RoleClaims(UserManager<Person> users, MunicipalitiesDatabase database, IOptions<IdentityOptions> options)
    : UserClaimsPrincipalFactory<Person>(users, options)
{
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(Person user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        var roles = await database.Roles.AsNoTracking().Where(r => r.PersonId == user.Id).ToListAsync();
        foreach (var role in roles)
        {
            identity.AddClaim(new Claim(Rights.ClaimType, $"{role.Role}@{role.Municipality}"));
        }

        return identity;
    }
}
