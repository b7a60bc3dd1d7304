namespace Hub.Cloud.Notifications.SignUp;

/// <summary>Refuses bad input with the field and the reason, as SubscriberValidation does.</summary>
internal static class Refuse
{
    /// <exception cref="ArgumentException">It does not hold; the parameter's name is the field.</exception>
    public static void Unless(bool holds, string field, string reason)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} {reason}.", field);
        }
    }
}
