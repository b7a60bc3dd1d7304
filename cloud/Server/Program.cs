using Hub.Cloud.Server;

return await HubCommand.Create().Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
