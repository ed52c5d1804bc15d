using System.Globalization;

namespace RetNet.Vulkan.Text;

/// <summary>Tokens that name a byte, <c>&lt;0x0A&gt;</c>, which SentencePiece falls back to for characters outside its vocabulary.</summary>
public static class ByteTokens
{
    /// <summary>Number of bytes there are.</summary>
    public const int Count = 256;

    /// <summary>The token of a byte.</summary>
    public static string Name(byte value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>The byte that a token names, in digits of either case; null when it names none.</summary>
    public static byte? ByteOf(string token) =>
        token is ['<', '0', 'x', _, _, '>'] && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
}
