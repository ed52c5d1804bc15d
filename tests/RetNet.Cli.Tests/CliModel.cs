using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Cli.Tests;

/// <summary>Model files for the tests of this project, sound ones and broken ones.</summary>
public sealed class CliModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CliModel() => TextModel.Write(Sound = _folder.File("sound.gguf"));

    /// <summary>A tiny model with a tokenizer.</summary>
    public string Sound { get; }

    public string Folder => _folder.Path;

    public string File(string name, byte[] contents)
    {
        var path = _folder.File(name);
        System.IO.File.WriteAllBytes(path, contents);
        return path;
    }

    public string WithoutTokenizer()
    {
        var path = _folder.File("no-tokenizer.gguf");
        new RandomModel(RandomModel.Shape(1, 32, 1, 4, 4, 32, 50), seed: 1, _ => false).Write(path, GgmlType.F16);
        return path;
    }

    public string WithSmallVocabulary()
    {
        var path = _folder.File("small-vocabulary.gguf");
        new RandomModel(RandomModel.Shape(1, 32, 1, 4, 4, 32, 50), seed: 1, _ => false).Write(path, GgmlType.F16, TextModel.AddTokenizer);
        return path;
    }

    /// <summary>A model that has no token for an x, nor one that begins a text.</summary>
    public string ThatDropsLetterX()
    {
        var path = _folder.File("no-x.gguf");
        var tokenizer = System.Text.Json.Nodes.JsonNode.Parse(System.IO.File.ReadAllText(Repository.Fixture("tokenizers", "demo.tokenizer.json")))!;
        tokenizer["normalizer"] = System.Text.Json.Nodes.JsonNode.Parse("""{"type":"Replace","pattern":{"String":"x"},"content":""}""");
        new RandomModel(RandomModel.Shape(1, 32, 1, 4, 4, 32, TextModel.VocabularySize), seed: 1, _ => false)
            .Write(path, GgmlType.F16, writer => writer.Add("tokenizer.huggingface.json", tokenizer.ToJsonString()));
        return path;
    }

    public string OfAnotherArchitecture()
    {
        var path = _folder.File("llama.gguf");
        using var writer = GgufWriter.Create(path);
        writer.Add("general.architecture", "llama");
        writer.Complete();
        return path;
    }

    public string WithWrongShape()
    {
        var path = _folder.File("wrong-shape.gguf");
        var config = RandomModel.Shape(1, 32, 1, 4, 4, 32, TextModel.VocabularySize);
        using var writer = GgufWriter.Create(path);
        RetNetGguf.WriteConfig(writer, config);
        TextModel.AddTokenizer(writer);
        var tensors = TensorShapes.Of(config).Where(shape => shape.Required)
            .Select(shape => writer.AddTensor(shape.Name, BlockType.Of(GgmlType.F32), shape.Name == "blk.0.attn_q.weight" ? [32, 5] : shape.Dimensions)).ToList();
        tensors.ForEach(tensor => writer.Write(tensor, new byte[tensor.Bytes]));
        writer.Complete();
        return path;
    }

    /// <summary>A sound file of some hundred gigabytes, all of them holes.</summary>
    public string TooLarge()
    {
        var config = RandomModel.Shape(layers: 48, width: 16384, heads: 32, keySize: 512, valueSize: 1024, feedForward: 65536, TextModel.VocabularySize);
        var path = _folder.File("too-large.gguf");
        using (var writer = GgufWriter.Create(path))
        {
            RetNetGguf.WriteConfig(writer, config);
            TextModel.AddTokenizer(writer);
            writer.Complete();
        }

        // The writer wants all data, so the descriptions are added by hand: after the last entry, a bool that is true.
        var header = System.IO.File.ReadAllBytes(path);
        using var file = new FileStream(path, FileMode.Create);
        using var tensors = new BinaryWriter(file);
        tensors.Write(header.AsSpan().TrimEnd((byte)0));
        long offset = 0, count = 0;
        foreach (var shape in TensorShapes.Of(config).Where(shape => shape.Required))
        {
            tensors.Write((ulong)shape.Name.Length);
            tensors.Write(System.Text.Encoding.ASCII.GetBytes(shape.Name));
            tensors.Write(shape.Dimensions.Count);
            foreach (var dimension in shape.Dimensions)
                tensors.Write(dimension);
            tensors.Write((uint)(shape.IsMatrix ? GgmlType.F16 : GgmlType.F32));
            tensors.Write(offset);
            offset += (shape.Dimensions.Aggregate((a, b) => a * b) * (shape.IsMatrix ? 2 : 4) + 31) / 32 * 32;
            count++;
        }

        tensors.Flush();
        file.SetLength((file.Position + 31) / 32 * 32 + offset);
        file.Position = 8;
        tensors.Write(count);
        return path;
    }

    public void Dispose() => _folder.Dispose();
}
