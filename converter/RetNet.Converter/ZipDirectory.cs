using System.Buffers.Binary;
using System.Text;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>
/// Where the entries of a zip archive lie in its file (PKWARE APPNOTE 6.3.10, §4.3 and 4.5.3, zip64 included). Entries must be stored,
/// not compressed, as torch.save does, so that they can be mapped; System.IO.Compression does not say where they are.
/// </summary>
internal sealed class ZipDirectory
{
    private const int EndLength = 22;
    private const int Zip64EndLength = 56;
    private const int Zip64LocatorLength = 20;
    private const int EntryLength = 46;
    private const int LocalLength = 30;
    private const ushort Zip64Extra = 1;

    private readonly string _path;
    private readonly MappedFile _file;
    private readonly Dictionary<string, (long Offset, long Length)> _entries = new(StringComparer.Ordinal);

    private ZipDirectory(string path, MappedFile file) => (_path, _file) = (path, file);

    /// <summary>Offset and length of each entry's data by name, all of them inside the file.</summary>
    /// <exception cref="ConverterException">The archive is damaged or truncated, or holds a compressed or encrypted entry.</exception>
    public static IReadOnlyDictionary<string, (long Offset, long Length)> Read(string path, MappedFile file)
    {
        var directory = new ZipDirectory(path, file);
        directory.Read();
        return directory._entries;
    }

    private void Read()
    {
        (long position, long count) = FindDirectory();
        for (long i = 0; i < count; i++)
            position += ReadEntry(position);
    }

    private (long Position, long Count) FindDirectory()
    {
        // The end record is the last thing in the file but for a comment of up to 64 KiB.
        int length = (int)Math.Min(_file.Length, EndLength + ushort.MaxValue);
        int at = length < EndLength ? -1 : Bytes(_file.Length - length, length)[..^(EndLength - 4)].LastIndexOf("PK\x5\x6"u8);
        if (at < 0)
            throw Error("is a zip archive, as torch.save writes, but has no directory; it is truncated, fetch it again");
        long end = _file.Length - length + at;
        ReadOnlySpan<byte> record = Bytes(end, EndLength);
        (uint count, uint position) = (U16(record, 10), U32(record, 16));
        return count == ushort.MaxValue || position == uint.MaxValue ? FindZip64Directory(end) : (position, count);
    }

    private (long Position, long Count) FindZip64Directory(long end)
    {
        ReadOnlySpan<byte> locator = Bytes(end - Zip64LocatorLength, Zip64LocatorLength);
        RequireSignature(locator, "PK\x6\x7"u8);
        ReadOnlySpan<byte> record = Bytes(I64(locator, 8), Zip64EndLength);
        RequireSignature(record, "PK\x6\x6"u8);
        return (I64(record, 48), I64(record, 32));
    }

    /// <summary>Reads the entry at <paramref name="position"/> and gives its length in the directory.</summary>
    private int ReadEntry(long position)
    {
        ReadOnlySpan<byte> header = Bytes(position, EntryLength);
        RequireSignature(header, "PK\x1\x2"u8);
        (int nameLength, int extraLength) = (U16(header, 28), U16(header, 30));
        ReadOnlySpan<byte> rest = Bytes(position + EntryLength, nameLength + extraLength);
        string name = Encoding.UTF8.GetString(rest[..nameLength]);
        if (U16(header, 10) != 0 || (U16(header, 8) & 1) != 0)
            throw Error($"holds '{name}' compressed or encrypted, which torch.save does not do; unpack it or save it again");
        (long length, long local) = ReadPlace(header, rest[nameLength..]);
        ReadOnlySpan<byte> localHeader = Bytes(local, LocalLength);
        RequireSignature(localHeader, "PK\x3\x4"u8);
        long offset = local + LocalLength + U16(localHeader, 26) + U16(localHeader, 28);
        if (length > _file.Length - offset)
            throw Error($"ends inside '{name}'; it is truncated, fetch it again");
        if (!_entries.TryAdd(name, (offset, length)))
            throw Error($"holds '{name}' twice; it is damaged, fetch it again");
        return EntryLength + nameLength + extraLength + U16(header, 32);
    }

    /// <summary>Length and local header of an entry; numbers that do not fit 32 bits stand in the zip64 field, in this order.</summary>
    private (long Length, long Local) ReadPlace(ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra)
    {
        (uint stored, uint length, uint local) = (U32(header, 20), U32(header, 24), U32(header, 42));
        ReadOnlySpan<byte> wide = FindZip64(extra);
        long wideLength = Widen(length, ref wide);
        long wideStored = Widen(stored, ref wide);
        long wideLocal = Widen(local, ref wide);
        return wideStored == wideLength ? (wideLength, wideLocal) : throw Damaged();
    }

    private long Widen(uint value, ref ReadOnlySpan<byte> wide)
    {
        if (value != uint.MaxValue)
            return value;
        if (wide.Length < sizeof(long))
            throw Damaged();
        long number = I64(wide, 0);
        wide = wide[sizeof(long)..];
        return number;
    }

    private static ReadOnlySpan<byte> FindZip64(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4 && U16(extra, 2) <= extra.Length - 4)
        {
            int length = U16(extra, 2);
            if (U16(extra, 0) == Zip64Extra)
                return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }

        return [];
    }

    private ReadOnlySpan<byte> Bytes(long position, int count) =>
        position >= 0 && position <= _file.Length - count ? _file.Span(position, count) : throw Damaged();

    private void RequireSignature(ReadOnlySpan<byte> record, ReadOnlySpan<byte> signature)
    {
        if (!record.StartsWith(signature))
            throw Damaged();
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>An unsigned number; one that no file is as long as counts as damage.</summary>
    private long I64(ReadOnlySpan<byte> bytes, int at) =>
        BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]) is >= 0 and long value ? value : throw Damaged();

    private ConverterException Damaged() => Error("is a zip archive with a damaged directory; fetch it again");

    private ConverterException Error(string problem) => new(_path, problem);
}
