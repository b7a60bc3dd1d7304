using CsCheck;
using Hub.Cloud.Notifications.SignUp;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class SignedTokenTests
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static readonly DateTime Now = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<(byte[] Key, LinkPurpose Purpose, Guid Stamp, DateTime? Until)> Any =
        from key in Gen.Byte.Array[SignedToken.KeyBytes]
        from purpose in Gen.Int[(int)LinkPurpose.Confirm, (int)LinkPurpose.Preferences].Select(number => (LinkPurpose)number)
        from stamp in Gen.Guid
        from minutes in Gen.Int[0, 1_000_000]
        from ends in Gen.Bool
        select (key, purpose, stamp, ends ? Now.AddMinutes(minutes) : (DateTime?)null);

    [Fact]
    public void A_token_says_what_it_was_made_for_until_it_ends_and_nothing_else() => Any.Sample(
        sample =>
        {
            var (key, purpose, stamp, until) = sample;
            var token = SignedToken.Make(key, purpose, stamp, until);
            Assert.Equal(SignedToken.Length, token.Length);
            Assert.Equal(stamp, SignedToken.Read(key, purpose, token, Now));
            Assert.Equal(until is null ? stamp : null, SignedToken.Read(key, purpose, token, (until ?? Now).AddSeconds(1)));
            foreach (var other in Enum.GetValues<LinkPurpose>().Where(one => one != purpose))
            {
                Assert.Null(SignedToken.Read(key, other, token, Now));
            }
        },
        threads: 2);

    [Fact]
    public void A_token_changed_in_any_letter_is_not_ours() =>
        Gen.Select(Any, Gen.Int[0, SignedToken.Length - 1], Gen.OneOf(Gen.Int[0, Letters.Length - 1].Select(at => Letters[at]), Gen.Char)).Sample(
            (sample, place, letter) =>
            {
                var token = SignedToken.Make(sample.Key, sample.Purpose, sample.Stamp, sample.Until);
                var changed = token[..place] + letter + token[(place + 1)..];
                Assert.Equal(changed == token ? sample.Stamp : null, SignedToken.Read(sample.Key, sample.Purpose, changed, Now));
            },
            iter: 5000, threads: 2);

    [Fact]
    public void Another_key_or_no_token_at_all_is_refused() => Gen.Select(Any, Gen.Byte.Array[SignedToken.KeyBytes], Gen.String).Sample(
        (sample, other, garbage) =>
        {
            var token = SignedToken.Make(sample.Key, sample.Purpose, sample.Stamp, sample.Until);
            Assert.True(other.AsSpan().SequenceEqual(sample.Key) || SignedToken.Read(other, sample.Purpose, token, Now) is null);
            foreach (var text in new[] { garbage, token + "A", token[1..], "", token + "=", " " + token[1..] })
            {
                Assert.Null(SignedToken.Read(sample.Key, sample.Purpose, text, Now));
            }

            Assert.Null(SignedToken.Read(sample.Key, sample.Purpose, null, Now));
        },
        threads: 2);
}
