namespace Hub.Edge.Claiming;

/// <summary>What the machine calls itself, so that an operator with two parcels on the table knows which is which.</summary>
/// <param name="root">Root of the file system; another one in tests.</param>
internal sealed class MachineName(string root)
{
    private const int CharactersMax = 200;

    // A Raspberry Pi's device tree, then a PC's firmware.
    private static readonly string[] Models = ["proc/device-tree/model", "sys/class/dmi/id/product_name"];
    private static readonly string[] Serials = ["proc/device-tree/serial-number", "sys/class/dmi/id/product_serial"];

    /// <summary>Model and serial number; null where neither can be read.</summary>
    public string? Read()
    {
        var name = string.Join(' ', new[] { First(Models), First(Serials) }.OfType<string>());
        return name.Length == 0 ? null : name[..Math.Min(name.Length, CharactersMax)];
    }

    private string? First(string[] files)
    {
        foreach (var file in files)
        {
            try
            {
                // Device tree texts end in a zero byte.
                var text = new string([.. File.ReadAllText(Path.Combine(root, file)).Where(c => !char.IsControl(c) && char.IsAscii(c))]).Trim();
                if (text.Length > 0)
                {
                    return text;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not this kind of machine, or not for us to read.
            }
        }

        return null;
    }
}
