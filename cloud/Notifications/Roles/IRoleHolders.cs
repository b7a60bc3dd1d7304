namespace Hub.Cloud.Notifications;

/// <summary>A role that people hold in a municipality, each with the rights of those before it. Stored: never renumber.</summary>
public enum StaffRole : byte
{
    /// <summary>Sees what is not public.</summary>
    Viewer = 1,

    /// <summary>Works with alarms, quarantine and stations.</summary>
    Operator = 2,

    /// <summary>Manages people, rules and settings.</summary>
    Administrator = 3,
}

/// <summary>Knows who holds a role; composed by the server from the stage that knows people. Without one, no subscriber by role can be made. Called concurrently, for every message that concerns such a subscriber.</summary>
public interface IRoleHolders
{
    /// <summary>User names of those who hold a role, or one with more rights, in a municipality itself. A role for the whole hub does not count: who looks after a hundred municipalities is not woken by each.</summary>
    /// <param name="role">Least role.</param>
    /// <param name="municipality">Slug.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<string>> HoldersAsync(StaffRole role, string municipality, CancellationToken cancellationToken);
}

/// <summary>Whom a subscriber by role stands for at this moment.</summary>
/// <param name="Addresses">Mail addresses: the user names that are one, in order, each once.</param>
/// <param name="Unreachable">User names that are no mail address: nothing is sent to these people.</param>
public sealed record RoleAudience(IReadOnlyList<string> Addresses, IReadOnlyList<string> Unreachable);
