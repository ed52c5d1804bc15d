using System.Text;

namespace RetNet.Vulkan.Text;

/// <summary>
/// GPT-2's reversible spelling of bytes as printable characters (<c>bytes_to_unicode</c> in openai/gpt-2
/// <c>encoder.py</c>): printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards in byte order.
/// </summary>
internal static class ByteLevelAlphabet
{
    private const char FirstSubstitute = '\u0100';
    private static readonly char[] CharOfByte = BuildCharOfByte();
    private static readonly short[] ByteOfChar = BuildByteOfChar();

    /// <summary>Spells the UTF-8 bytes of well-formed UTF-16 text, one character a byte.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(bytes.Length, bytes, static (word, source) =>
        {
            for (var i = 0; i < word.Length; i++)
                word[i] = CharOfByte[source[i]];
        });
    }

    /// <summary>
    /// The bytes a token stands for. A token with a character outside the alphabet, as an added token may
    /// have, stands for its own UTF-8 bytes, as in Hugging Face's <c>ByteLevel</c> decoder.
    /// </summary>
    public static byte[] BytesOf(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (token[i] >= ByteOfChar.Length || ByteOfChar[token[i]] < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)ByteOfChar[token[i]];
        }

        return bytes;
    }

    private static bool StandsForItself(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xFF and not 0xAD);

    private static char[] BuildCharOfByte()
    {
        var table = new char[256];
        var substitute = FirstSubstitute;
        for (var value = 0; value < table.Length; value++)
            table[value] = StandsForItself(value) ? (char)value : substitute++;
        return table;
    }

    private static short[] BuildByteOfChar()
    {
        var table = new short[CharOfByte.Max() + 1];
        Array.Fill(table, (short)-1);
        for (var value = 0; value < CharOfByte.Length; value++)
            table[CharOfByte[value]] = (short)value;
        return table;
    }
}
