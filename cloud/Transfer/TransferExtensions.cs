using Hub.Cloud.Transfer.Export;
using Hub.Cloud.Transfer.Import;
using Hub.Cloud.Transfer.Migration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hub.Cloud.Transfer;

/// <summary>Registration of the Transfer stage.</summary>
public static class TransferExtensions
{
    /// <summary>Registers <see cref="ITransfer"/>, which needs Stations and Series, and <see cref="ISeriesMigration"/>, which needs neither. Safe to call twice.</summary>
    public static IServiceCollection AddHubTransfer(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ImportRun>();
        services.TryAddSingleton<ExportRun>();
        services.TryAddSingleton<ITransfer, FileTransfer>();
        services.TryAddSingleton<ISeriesMigration, MigrationRun>();
        return services;
    }
}

/// <summary>The two directions behind one front door.</summary>
internal sealed class FileTransfer(ImportRun import, ExportRun export) : ITransfer
{
    /// <inheritdoc/>
    public Task<ImportSummary> ImportAsync(ImportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken) =>
        import.RunAsync(request, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<ExportSummary> ExportAsync(ExportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken) =>
        export.RunAsync(request, progress, cancellationToken);
}
