using System.Numerics;

namespace RetNet.Vulkan.Gguf;

public sealed unsafe partial class GgufFile
{
    private const int SmallestEntry = sizeof(ulong) + sizeof(uint) + sizeof(byte);
    private const int SmallestTensorInfo = sizeof(ulong) + sizeof(uint) + sizeof(ulong) + sizeof(uint) + sizeof(ulong);

    private void ReadHeader(GgufReader reader)
    {
        RequireMagic();
        reader.Read<uint>();
        ReadVersion(reader);
        int tensorCount = reader.ReadCount(SmallestTensorInfo, "tensors");
        int entryCount = reader.ReadCount(SmallestEntry, "metadata entries");
        for (int i = 0; i < entryCount; i++)
            ReadEntry(reader, i);
        Alignment = ReadAlignment();
        var found = new List<GgufTensor>();
        for (int i = 0; i < tensorCount; i++)
            found.Add(ReadTensorInfo(reader, i));
        PlaceTensors(found, GgufFormat.Align(reader.Position, Alignment));
    }

    private void RequireMagic()
    {
        ReadOnlySpan<byte> start = _bytes.Span(0, (int)Math.Min(16, _bytes.Length));
        if (start.IsEmpty)
            throw new GgufException(Path, "is empty; fetch or convert it again");
        if (start.StartsWith(GgufFormat.Magic))
            return;
        if (GgufFormat.Magic.StartsWith(start))
            throw new GgufException(Path, $"ends after {start.Length} bytes, inside the magic number; it is truncated, fetch it again");
        throw new GgufException(Path, $"is not a GGUF file: {Describe(start)}");
    }

    private static string Describe(ReadOnlySpan<byte> start) => start switch
    {
        [(byte)'P', (byte)'K', 3, 4, ..] => "it looks like a zip archive, as PyTorch writes; convert its checkpoint with 'retnet convert'",
        [0x80, >= 2 and <= 5, ..] => "it looks like a Python pickle; convert its checkpoint with 'retnet convert'",
        [_, _, _, _, _, 0, 0, 0, (byte)'{', ..] => "it looks like safetensors; convert its checkpoint with 'retnet convert'",
        [(byte)'F', (byte)'U', (byte)'G', (byte)'G', ..] => "it looks like a big-endian GGUF; convert it again for a little-endian machine",
        _ when start.StartsWith("version https://"u8) => "it is a Git LFS pointer; run 'git lfs pull' to fetch the file itself",
        _ => $"it starts with the bytes {Convert.ToHexString(start[..Math.Min(4, start.Length)])} where a GGUF has 47475546",
    };

    private void ReadVersion(GgufReader reader)
    {
        uint version = reader.Read<uint>();
        if (version is not (2 or 3))
        {
            string reason = version != 0 && (version & 0xFFFF) == 0
                ? "is big-endian; convert it again for a little-endian machine"
                : $"is GGUF version {version}, this program reads 2 and 3; convert it again";
            throw new GgufException(Path, reason);
        }

        Version = (int)version;
    }

    private void ReadEntry(GgufReader reader, int index)
    {
        reader.Where = $"metadata entry {index}";
        string key = reader.ReadString();
        reader.Where = $"metadata '{key}'";
        object value = reader.ReadValue((GgufValueType)reader.Read<uint>());
        if (!_metadata.TryAdd(key, value))
            throw new GgufException(Path, $"has the metadata key '{key}' twice; the file is damaged");
    }

    private int ReadAlignment()
    {
        if (!_metadata.ContainsKey(GgufFormat.AlignmentKey))
            return GgufFormat.DefaultAlignment;
        uint alignment = GetUInt32(GgufFormat.AlignmentKey);
        if (!BitOperations.IsPow2(alignment) || alignment > int.MaxValue)
            throw new GgufException(Path, $"metadata '{GgufFormat.AlignmentKey}' is {alignment}, not a power of two; the file is damaged");
        return (int)alignment;
    }

    private GgufTensor ReadTensorInfo(GgufReader reader, int index)
    {
        reader.Where = $"description of tensor {index}";
        string name = reader.ReadString();
        reader.Where = $"description of tensor '{name}'";
        long[] dimensions = ReadDimensions(reader);
        BlockType type = ReadType(reader, name);
        ulong offset = reader.Read<ulong>();
        if (offset > long.MaxValue || offset % (ulong)Alignment != 0)
            throw new GgufException(Path, $"tensor '{name}' lies at offset {offset}, not a multiple of {Alignment}; the file is damaged");
        if (dimensions[0] % type.Length != 0)
            throw new GgufException(Path, $"tensor '{name}' has rows of {dimensions[0]}, no whole number of {type} blocks of {type.Length}; the file is damaged");
        try
        {
            return new GgufTensor(name, dimensions, type, (long)offset);
        }
        catch (OverflowException e)
        {
            throw new GgufException(Path, $"tensor '{name}' has the impossible size {GgufTensor.FormatShape(dimensions)}; the file is damaged", e);
        }
    }

    private static long[] ReadDimensions(GgufReader reader)
    {
        uint count = reader.Read<uint>();
        if (count is 0 or > GgufFormat.MostDimensions)
            throw reader.Error($"{reader.Where} has {count} dimensions, a GGUF tensor has 1 to {GgufFormat.MostDimensions}; the file is damaged");
        var dimensions = new long[count];
        for (int i = 0; i < dimensions.Length; i++)
        {
            ulong dimension = reader.Read<ulong>();
            if (dimension is 0 or > long.MaxValue)
                throw reader.Error($"{reader.Where} has the dimension {dimension}; the file is damaged");
            dimensions[i] = (long)dimension;
        }

        return dimensions;
    }

    private BlockType ReadType(GgufReader reader, string name)
    {
        uint type = reader.Read<uint>();
        return BlockType.Find((GgmlType)type) ?? throw new GgufException(Path, GgufFormat.ForeignTypeName(type) is { } foreign
            ? $"tensor '{name}' is of type {foreign}, which this program does not read; use {string.Join(", ", BlockType.All)}"
            : $"tensor '{name}' is of the unknown type {type}; the file is damaged or newer than this program");
    }

    /// <summary>Turns offsets in the data section into offsets in the file; tensors may not overlap or leave the file.</summary>
    private void PlaceTensors(List<GgufTensor> found, long start)
    {
        foreach (GgufTensor tensor in found)
        {
            if (tensor.Offset > long.MaxValue - start - tensor.Bytes)
                throw new GgufException(Path, $"tensor '{tensor.Name}' lies at the impossible offset {tensor.Offset}; the file is damaged");
            var placed = new GgufTensor(tensor.Name, tensor.Dimensions, tensor.Type, start + tensor.Offset);
            if (!_tensors.TryAdd(tensor.Name, placed))
                throw new GgufException(Path, $"has the tensor '{tensor.Name}' twice; the file is damaged");
        }

        GgufTensor? previous = null;
        foreach (GgufTensor tensor in _tensors.Values.OrderBy(t => t.Offset))
        {
            if (previous is not null && tensor.Offset < previous.Offset + previous.Bytes)
                throw new GgufException(Path, $"tensors '{previous.Name}' and '{tensor.Name}' overlap; the file is damaged");
            previous = tensor;
        }

        if (previous is not null && previous.Offset + previous.Bytes > Length)
            throw new GgufException(Path, $"ends inside the data of its tensors: {previous.Offset + previous.Bytes - Length} bytes are missing after byte {Length}; it is truncated, fetch it again");
    }
}
