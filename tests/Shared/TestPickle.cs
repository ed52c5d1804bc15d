using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace RetNet.Tests;

/// <summary>Writes pickles opcode by opcode, as torch.save does or as nobody should, and the archive around them.</summary>
internal sealed class TestPickle
{
    private const string Root = "archive/";
    private readonly List<byte> _bytes = [];
    private readonly Dictionary<string, byte[]> _storages = [];

    public TestPickle(byte protocol = 2) => Raw(0x80, protocol);

    public TestPickle Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public TestPickle Raw(string bytes) => Raw(Encoding.Latin1.GetBytes(bytes));

    public TestPickle Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Raw("X").Raw(length).Raw(utf8);
    }

    public TestPickle Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Raw("J").Raw(bytes);
    }

    public TestPickle Numbers(IEnumerable<long> values)
    {
        Raw("(");
        foreach (long value in values)
            Number((int)value);
        return Raw("t");
    }

    public TestPickle Global(string module, string name) => Raw($"c{module}\n{name}\n");

    /// <summary>A tensor as torch._utils._rebuild_tensor_v2 takes it, with a storage of <paramref name="data"/>.</summary>
    public TestPickle Tensor(string storageType, byte[] data, int elements, long start, long[] sizes, long[] strides)
    {
        string key = _storages.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        _storages.Add(key, data);
        return Global("torch._utils", "_rebuild_tensor_v2").Raw("(")
            .Raw("(").Text("storage").Global("torch", storageType).Text(key).Text("cpu").Number(elements).Raw("tQ")
            .Number((int)start).Numbers(sizes).Numbers(strides).Raw(0x89).Global("collections", "OrderedDict").Raw(")R").Raw("tR");
    }

    public TestPickle Tensor(float[] values, long[] sizes, long[] strides) =>
        Tensor("FloatStorage", System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray(), values.Length, 0, sizes, strides);

    /// <summary>Ends the pickle and writes the archive.</summary>
    public string Save(string path, CompressionLevel compression = CompressionLevel.NoCompression)
    {
        Raw(".");
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Write(zip, Root + "data.pkl", _bytes.ToArray(), compression);
        foreach ((string key, byte[] data) in _storages)
            Write(zip, $"{Root}data/{key}", data, compression);
        return path;
    }

    private static void Write(ZipArchive zip, string name, byte[] data, CompressionLevel compression)
    {
        using Stream entry = zip.CreateEntry(name, compression).Open();
        entry.Write(data);
    }
}
