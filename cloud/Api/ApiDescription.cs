using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Hub.Cloud.Api;

/// <summary>A JSON object that may be left out; endpoint metadata. (What <c>Accepts</c> declares, routing demands.)</summary>
internal sealed record OptionalBody(string Description);

/// <summary>A body that is a file; endpoint metadata. (Bytes as they come: no reader of the framework's is asked.)</summary>
internal sealed record FileBody(string ContentType, string Description);

/// <summary>Describes addresses once, for the check of parameters and for the OpenAPI document alike.</summary>
internal static class ApiDescription
{
    private const string Bearer = "bearer";

    public static RouteHandlerBuilder Describe(
        this RouteHandlerBuilder endpoint, string name, string tag, string summary, string description, params QueryParameter[] parameters) =>
        endpoint.WithName(name).WithTags(tag).WithSummary(summary).WithDescription(description).WithMetadata(new QueryParameters(parameters));

    public static RouteHandlerBuilder Problem(this RouteHandlerBuilder endpoint, int status) =>
        endpoint.Produces<ProblemDocument>(status, "application/problem+json");

    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = description => description.RelativePath?.StartsWith("api/v1", StringComparison.Ordinal) == true;
        options.AddDocumentTransformer(async (document, context, cancellationToken) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Hub",
                Version = "1",
                Description = "The open data of the municipalities on this hub. Times are UTC, ISO 8601; results are in the canonical unit of their quantity. "
                    + "Whoever is not signed in sees what is public. Problems have stable codes: GET /api/v1/problems.",
            };

            // Not the address of whoever asked first.
            document.Servers = [new OpenApiServer { Url = "/" }];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A token of POST /api/v1/sessions. Without one, what is public is seen." },
            };
            document.Security =
            [
                new OpenApiSecurityRequirement(),
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] },
            ];

            // One list holds either kind, by `resolution`.
            document.AddComponent(nameof(BucketDocument), await context.GetOrCreateSchemaAsync(typeof(BucketDocument), null, cancellationToken));
            if (document.Components.Schemas?[nameof(ObservationsDocument)].Properties?["observations"] is OpenApiSchema list)
            {
                list.Items = new OpenApiSchema
                {
                    AnyOf = [new OpenApiSchemaReference(nameof(ObservationDocument), document), new OpenApiSchemaReference(nameof(BucketDocument), document)],
                };
            }
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<QueryParameters>().FirstOrDefault() is { } parameters)
            {
                operation.Parameters ??= [];
                foreach (var parameter in parameters.All)
                {
                    operation.Parameters.Add(new OpenApiParameter
                    {
                        Name = parameter.Name,
                        In = ParameterLocation.Query,
                        Description = parameter.Description,
                        Schema = new OpenApiSchema
                        {
                            Type = parameter.Type switch { "integer" => JsonSchemaType.Integer, "number" => JsonSchemaType.Number, "boolean" => JsonSchemaType.Boolean, _ => JsonSchemaType.String },
                            Format = parameter.Format,
                        },
                        Example = Example(parameter),
                    });
                }
            }

            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<OptionalBody>().FirstOrDefault() is { } body)
            {
                operation.RequestBody = new OpenApiRequestBody
                {
                    Description = body.Description,
                    Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } } },
                };
            }

            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<FileBody>().FirstOrDefault() is { } file)
            {
                operation.RequestBody = new OpenApiRequestBody
                {
                    Description = file.Description,
                    Required = true,
                    Content = new Dictionary<string, OpenApiMediaType> { [file.ContentType] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } } },
                };
            }

            foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>().Where(p => p.In == ParameterLocation.Path) ?? [])
            {
                parameter.Description = parameter.Name switch
                {
                    "municipality" => "Identifier of the municipality.",
                    "station" => "Identifier of the station within its municipality.",
                    "name" => "Name of the command.",
                    "identifier" => "Identifier of the alert, as its document and the feed have it.",
                    "alarm" => "Identifier of the alarm; one in whose place another goes on stands for that one.",
                    "property" => "Observed property, an identifier of `/api/v1/quantities`.",
                    _ => "Identifier, a whole number.",
                };
            }

            if (operation.Responses?.GetValueOrDefault("200")?.Content is { } answers && answers.ContainsKey("text/csv"))
            {
                answers["text/csv"] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                    Example = "phenomenonTime,result,unit,quality,calibration,raw,coverage,revision\r\n2026-03-01T11:59:00Z,12.5,ug/m3,out-of-range stuck,3,11,0.5,2\r\n",
                };
            }

            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, _, _) =>
        {
            // Numbers are always written as numbers; that the reader of bodies would take them as text as well concerns nobody.
            if (schema.Type is { } type && (type & (JsonSchemaType.Number | JsonSchemaType.Integer)) != 0 && type.HasFlag(JsonSchemaType.String))
            {
                schema.Type = type & ~JsonSchemaType.String;
                schema.Pattern = null;
            }

            return Task.CompletedTask;
        });
    }

    private static JsonNode? Example(QueryParameter parameter) => parameter switch
    {
        { Example: null } => null,
        { Type: "integer" or "number" } => int.Parse(parameter.Example, System.Globalization.CultureInfo.InvariantCulture),
        { Type: "boolean" } => parameter.Example == "true",
        _ => parameter.Example,
    };
}
