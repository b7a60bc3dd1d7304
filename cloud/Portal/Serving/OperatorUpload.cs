using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.Filters;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Lets operators of the municipality in the address send larger forms than others; comes before the form is read for its token.</summary>
/// <param name="bytesMax">Largest body, bytes.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OperatorUploadAttribute(long bytesMax) : Attribute, IAuthorizationFilter, IOrderedFilter
{
    /// <summary>Largest body, bytes.</summary>
    public long BytesMax => bytesMax;

    /// <summary>The check of the form's token has 1000.</summary>
    public int Order => 900;

    public void OnAuthorization(AuthorizationFilterContext context)
    {
        var municipality = context.RouteData.Values["municipality"] as string;
        if (municipality is not null && context.HttpContext.User.Holds(Role.Operator, municipality) && context.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = BytesMax;
        }
    }
}
