using System.Buffers.Binary;
using System.Text;

namespace Fuzzer;

/// <summary>Damages files in the ways that find most: bits, bytes, lengths, borders, pieces in wrong places, JSON of other kinds.</summary>
internal sealed class Mutator(Random random)
{
    private const int MostEdits = 6;
    private const int LongestSplice = 64;

    private static readonly long[] Integers =
    [
        0, 1, -1, 2, 16, 127, 128, 255, 256, short.MaxValue, ushort.MaxValue, int.MaxValue, int.MinValue, uint.MaxValue,
        1L << 32, long.MaxValue, long.MinValue, long.MaxValue / 8, 1L << 40,
    ];

    private static readonly byte[][] Tokens =
    [
        .. ((string[])["null", "true", "{}", "[]", "\"\"", "-1", "0", "1e999", "2147483648", "0.5", "[[[[[[[[", "\"\\ud800\"", "\"a\"", "{\"type\": \"NFC\"}", ",", ":", "}", "]", "\"", "\\", "(?:", "+", "*", "\\p{"])
            .Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>A damaged copy of <paramref name="seed"/>, with pieces of <paramref name="other"/> perhaps.</summary>
    public byte[] Mutate(byte[] seed, byte[] other)
    {
        var bytes = seed;
        // Half of the files have one flaw only, so that readers get beyond the first.
        for (var edits = Math.Max(1, random.Next(2 - MostEdits, MostEdits)); edits > 0 && bytes.Length > 0; edits--)
            bytes = Edit(bytes, other);
        return bytes;
    }

    private byte[] Edit(byte[] bytes, byte[] other)
    {
        var at = random.Next(bytes.Length);
        if (bytes.AsSpan().IndexOf("{\""u8) >= 0 && random.Next(2) == 0)
            return SwapToken(bytes, at);
        return random.Next(8) switch
        {
            0 => Flip(bytes, at),
            1 => Replace(bytes, at, 1, [(byte)random.Next(256)]),
            2 => random.Next(8) == 0 ? bytes[..at] : Flip(bytes, at),
            3 => Replace(bytes, at, random.Next(LongestSplice), []),
            4 => Replace(bytes, at, random.Next(LongestSplice), Piece(other)),
            5 => Replace(bytes, at, sizeof(int), Integer(sizeof(int))),
            6 => Replace(bytes, at, sizeof(long), Integer(sizeof(long))),
            _ => SwapToken(bytes, at),
        };
    }

    private byte[] Flip(byte[] bytes, int at) => Replace(bytes, at, 1, [(byte)(bytes[at] ^ (1 << random.Next(8)))]);

    private byte[] Integer(int size)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Integers[random.Next(Integers.Length)]);
        return bytes[..size];
    }

    private ReadOnlySpan<byte> Piece(byte[] other)
    {
        var start = random.Next(other.Length);
        return other.AsSpan(start, random.Next(Math.Min(LongestSplice, other.Length - start)));
    }

    /// <summary>Replaces what lies between two of JSON's delimiters, in other files a few bytes.</summary>
    private byte[] SwapToken(byte[] bytes, int at)
    {
        var start = bytes.AsSpan(0, at).LastIndexOfAny(":,[ "u8) + 1;
        var length = Math.Max(0, bytes.AsSpan(start).IndexOfAny(",]}"u8));
        return Replace(bytes, start, Math.Min(length, LongestSplice), Tokens[random.Next(Tokens.Length)]);
    }

    private static byte[] Replace(byte[] bytes, int at, int length, ReadOnlySpan<byte> with) =>
        [.. bytes.AsSpan(0, at), .. with, .. bytes.AsSpan(Math.Min(bytes.Length, at + length))];
}
