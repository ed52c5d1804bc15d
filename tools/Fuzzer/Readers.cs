using System.IO.Compression;
using System.Text;
using RetNet.Converter;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Text;

namespace Fuzzer;

/// <summary>The readers and their seeds. One more is one more entry.</summary>
internal static class Readers
{
    private const int SafeTensorsData = 40;
    private const string PickleName = "data.pkl";
    private const string Text = "Ab's 12 \u00e9 xx\n<s>ab \ud83d\ude42<|end|>";

    /// <summary>All readers.</summary>
    public static IReadOnlyList<ReaderTarget> All { get; } =
    [
        new("gguf", [Gguf()], ReadGguf, typeof(GgufException)),
        new("safetensors", [SafeTensors()], ReadSafeTensors, typeof(ConverterException), WithHeaderLength),
        new("torch", [Resource("tiny.pt")], ReadWeights, typeof(ConverterException)),
        new("pickle", [Pickle()], ReadPickle, typeof(ConverterException)),
        new("state", [State()], path => SessionFile.Read(path, StateModel, StateModelName), typeof(GgufException)),
        new("tokenizer", [Resource("bytelevel.tokenizer.json"), Resource("llama.tokenizer.json")], ReadTokenizer, typeof(TokenizerException)),
    ];

    private const string StateModelName = "model";

    private static RetNetConfig StateModel => new()
    {
        Layers = 2,
        Width = 8,
        Heads = 2,
        KeyValueHeads = 2,
        KeySize = 2,
        ValueSize = 3,
        FeedForwardSize = 8,
        VocabularySize = 9,
        NormEps = 1e-6f,
        Decay = [0.5f, 0.75f],
        Angles = [1],
        RetentionEps = 1e-6f,
        RetentionEpsScaled = true,
    };

    private static void ReadWeights(string path)
    {
        using var file = WeightFile.Open(path);
        using var settings = file.OpenSettings();
        foreach (var tensor in file.Tensors.Values.Where(tensor => tensor.Type is not null))
        {
            var values = new float[Math.Min(tensor.Shape.Aggregate(1L, (product, n) => product * n), 1 << 16)];
            tensor.Read(0, values);
        }
    }

    /// <summary>A pickle by itself, in an archive that is sound.</summary>
    private static void ReadPickle(string path)
    {
        var archive = path + ".pt";
        using (var seed = new ZipArchive(new MemoryStream(Resource("tiny.pt"))))
        using (var damaged = new ZipArchive(File.Create(archive), ZipArchiveMode.Create))
            foreach (var entry in seed.Entries)
            {
                using var source = entry.Name == PickleName ? File.OpenRead(path) : entry.Open();
                using var target = damaged.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                source.CopyTo(target);
            }

        try
        {
            ReadWeights(archive);
        }
        finally
        {
            File.Delete(archive);
        }
    }

    private static byte[] Pickle()
    {
        using var archive = new ZipArchive(new MemoryStream(Resource("tiny.pt")));
        using var source = archive.Entries.Single(entry => entry.Name == PickleName).Open();
        using var bytes = new MemoryStream();
        source.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static byte[] State()
    {
        var path = Path.GetTempFileName();
        SessionFile.Write(path, new SavedSession
        {
            Position = 3,
            IsPending = true,
            RecentTokens = [1, 2, 8, 0],
            Sampler = new SamplerOptions { Seed = 7 },
            Layers = [new float[12], new float[12]],
        }, StateModel, StateModelName);
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    private static void ReadGguf(string path)
    {
        using var file = GgufFile.Open(path);
        foreach (var tensor in file.Tensors.Values)
        {
            file.Row(tensor, 0);
            file.Row(tensor, tensor.Rows - 1);
        }
    }

    private static void ReadSafeTensors(string path)
    {
        using var file = SafeTensorsFile.Open(path);
    }

    private static void ReadTokenizer(string path)
    {
        var tokenizer = Tokenizer.Parse(File.ReadAllBytes(path));
        var ids = tokenizer.Encode(Text, addSpecialTokens: true);
        tokenizer.Decode(ids);
        tokenizer.Decode(Enumerable.Range(-1, tokenizer.VocabularySize + 2), skipSpecial: true);
    }

    private static byte[] Gguf()
    {
        var path = Path.GetTempFileName();
        using (var writer = GgufWriter.Create(path))
        {
            writer.Add("general.architecture", "retnet");
            writer.Add("retnet.block_count", 2u);
            writer.Add("retnet.residual_scale", 0.5f);
            writer.Add("retnet.output_gate", true);
            writer.Add("retnet.retention.decay", [0.5f, 0.75f]);
            writer.Add("tokenizer.ggml.token_type", [1, 3, 1]);
            writer.Add("tokenizer.ggml.tokens", (string[])["a", "<s>", ""]);
            GgufTensor[] tensors =
            [
                writer.AddTensor("token_embd.weight", BlockType.Find("f16")!, 4, 3),
                writer.AddTensor("blk.0.norm.weight", BlockType.Find("f32")!, 4),
                writer.AddTensor("blk.0.attn_q.weight", BlockType.Find("q8_0")!, 64, 2),
            ];
            foreach (var tensor in tensors)
                writer.Write(tensor, new byte[tensor.Bytes]);
            writer.Complete();
        }

        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    private static byte[] SafeTensors()
    {
        const string Header = """
            {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
             "b.weight": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}, "c": {"dtype": "I64", "shape": [], "data_offsets": [32, 40]}}
            """;
        return WithHeaderLength([.. new byte[sizeof(ulong)], .. Encoding.UTF8.GetBytes(Header), .. new byte[SafeTensorsData]]);
    }

    private static byte[] WithHeaderLength(byte[] file) => file.Length < sizeof(ulong) + SafeTensorsData
        ? file
        : [.. BitConverter.GetBytes((ulong)(file.Length - sizeof(ulong) - SafeTensorsData)), .. file.AsSpan(sizeof(ulong))];

    private static byte[] Resource(string name)
    {
        using var stream = typeof(Readers).Assembly.GetManifestResourceStream(name)!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
