using Hub.Cloud.Server;

return await HubCommand.RunAsync(args, CancellationToken.None);
