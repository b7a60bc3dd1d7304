using Hub.Edge.Agent;

return await AgentCommands.InvokeAsync(args, Environment.GetEnvironmentVariables(), Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
