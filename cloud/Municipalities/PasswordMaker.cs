using System.Security.Cryptography;

namespace Hub.Cloud.Municipalities;

/// <summary>Makes passwords that can be read aloud and typed from paper.</summary>
internal static class PasswordMaker
{
    public const int Length = 20;

    /// <summary>Letters and digits without those that look alike (0 O o, 1 l I i, 2 Z z, 5 S s, 8 B): 20 of these 47 are 111 random bits.</summary>
    public const string Alphabet = "ACDEFGHJKLMNPQRTUVWXYabcdefghjkmnpqrtuvwxy34679";

    public static string Generate() => RandomNumberGenerator.GetString(Alphabet, Length);
}
