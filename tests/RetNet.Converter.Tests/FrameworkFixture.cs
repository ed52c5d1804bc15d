using System.Runtime.InteropServices;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Reference;

namespace RetNet.Converter.Tests;

/// <summary>A fixture converted to f32, and what its framework's own code gave in float32.</summary>
internal sealed class FrameworkFixture : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SafeTensorsFile _reference;

    public FrameworkFixture(string name)
    {
        var path = _folder.File("model.gguf");
        CheckpointConverter.Convert(Repository.Fixture(name), path, BlockType.Of(GgmlType.F32));
        File = GgufFile.Open(path);
        Oracle = ReferenceModel.Load(File);
        _reference = SafeTensorsFile.Open(Repository.Fixture(name, "reference.safetensors"));
        Batch = [.. Ints("ids").Chunk((int)_reference.Tensors["ids"].Shape[1])];
    }

    public static string[] Torchscale => ["torchscale_base", "torchscale_tied_scaled", "torchscale_deepnorm"];

    public static string[] Syncdoth => ["syncdoth_glu", "syncdoth_ffn"];

    public static string[] Fla => ["fla_base", "fla_gqa_tied"];

    public static string[] All => [.. Torchscale, .. Syncdoth, .. Fla];

    public GgufFile File { get; }

    public ReferenceModel Oracle { get; }

    /// <summary>The ids of each sequence of the batch.</summary>
    public int[][] Batch { get; }

    /// <summary>The name of the logits that come from no sum of scores: torchscale's and syncdoth's recurrent form, flash-linear-attention's kernel.</summary>
    public string PlainLogits => Has("logits_37") ? "logits_37" : "logits_recurrent";

    public bool Has(string name) => _reference.Tensors.ContainsKey(name);

    public float[] Floats(string name)
    {
        var values = new float[_reference.Tensors[name].Bytes / sizeof(float)];
        _reference.Tensors[name].Read(0, values);
        return values;
    }

    public int[] Ints(string name)
    {
        var tensor = _reference.Tensors[name];
        return [.. MemoryMarshal.Cast<byte, int>(tensor.Span(0, (int)tensor.Bytes))];
    }

    public void Dispose()
    {
        _reference.Dispose();
        File.Dispose();
        _folder.Dispose();
    }
}
