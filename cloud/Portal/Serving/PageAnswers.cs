using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Answers that more than one page gives.</summary>
internal static class PageAnswers
{
    /// <summary>The page for what does not exist or must not be known to exist, with status 404.</summary>
    public static IActionResult Missing(this PageModel page) =>
        new ViewResult
        {
            ViewName = "/Pages/Shared/_Missing.cshtml",
            StatusCode = 404,
            ViewData = new ViewDataDictionary(page.ViewData) { Model = null },
            TempData = page.TempData,
        };
}
