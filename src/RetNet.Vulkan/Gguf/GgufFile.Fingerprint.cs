using System.Security.Cryptography;

namespace RetNet.Vulkan.Gguf;

public sealed unsafe partial class GgufFile
{
    /// <summary>Bytes of each tensor that count.</summary>
    private const int SampleBytes = 4096;

    /// <summary>
    /// Tells models apart without reading all of them: SHA-256 of the file's length, of everything before the tensors' data and of
    /// the first 4 KiB of each tensor, as hexadecimal digits.
    /// </summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(Length));
        var header = _tensors.Count == 0 ? Length : _tensors.Values.Min(tensor => tensor.Offset);
        for (long start = 0; start < header; start += SampleBytes)
            hash.AppendData(_bytes.Span(start, (int)Math.Min(SampleBytes, header - start)));
        foreach (var tensor in _tensors.Values)
            hash.AppendData(_bytes.Span(tensor.Offset, (int)Math.Min(SampleBytes, tensor.Bytes)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
