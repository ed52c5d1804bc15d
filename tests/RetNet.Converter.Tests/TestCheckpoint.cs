using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace RetNet.Converter.Tests;

/// <summary>A fixture in memory, to be changed and saved.</summary>
internal sealed class TestCheckpoint
{
    private TestCheckpoint(string fixture)
    {
        Config = JsonNode.Parse(File.ReadAllText(Repository.Fixture(fixture, "config.json")))!.AsObject();
        using SafeTensorsFile file = SafeTensorsFile.Open(Repository.Fixture(fixture, "model.safetensors"));
        foreach (CheckpointTensor tensor in file.Tensors.Values)
            Tensors.Add(tensor.Name, (tensor.DataType, [.. tensor.Shape], tensor.Span(0, (int)tensor.Bytes).ToArray()));
    }

    public JsonObject Config { get; }

    public Dictionary<string, (string Type, long[] Shape, byte[] Data)> Tensors { get; } = [];

    public static TestCheckpoint Load(string fixture) => new(fixture);

    public Span<float> Values(string tensor) => MemoryMarshal.Cast<byte, float>(Tensors[tensor].Data.AsSpan());

    public TestCheckpoint Save(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        Write(Path.Combine(folder, "model.safetensors"), Tensors.Keys);
        return this;
    }

    public TestCheckpoint SaveSharded(string folder, int shards) => SaveShards(folder, shards, "model", ".safetensors", Write);

    public TestCheckpoint SaveTorchShards(string folder, int shards) => SaveShards(folder, shards, "pytorch_model", ".bin", WriteTorch);

    /// <summary>Renames tensors; null takes one away.</summary>
    public TestCheckpoint Rename(Func<string, string?> rename)
    {
        foreach ((string name, (string Type, long[] Shape, byte[] Data) tensor) in Tensors.ToList())
        {
            Tensors.Remove(name);
            if (rename(name) is { } renamed)
                Tensors.Add(renamed, tensor);
        }

        return this;
    }

    public static byte[] SafeTensors(string header, int dataBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]];
    }

    private TestCheckpoint SaveShards(string folder, int shards, string stem, string extension, Action<string, IEnumerable<string>> write)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        var map = new JsonObject();
        string[][] parts = [.. Tensors.Keys.Order().Chunk((Tensors.Count + shards - 1) / shards)];
        for (int i = 0; i < parts.Length; i++)
        {
            string file = $"{stem}-{i + 1:00000}-of-{shards:00000}{extension}";
            write(Path.Combine(folder, file), parts[i]);
            foreach (string name in parts[i])
                map[name] = file;
        }

        File.WriteAllText(Path.Combine(folder, stem + extension + ".index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return this;
    }

    private void WriteTorch(string path, IEnumerable<string> names)
    {
        TestPickle pickle = new TestPickle().Raw("}(");
        foreach (string name in names)
        {
            (_, long[] shape, byte[] data) = Tensors[name];
            long[] strides = shape.Length == 2 ? [shape[1], 1] : [1];
            pickle.Text(name).Tensor("FloatStorage", data, data.Length / sizeof(float), 0, shape, strides);
        }

        pickle.Raw("u").Save(path);
    }

    private void Write(string path, IEnumerable<string> names)
    {
        var header = new JsonObject();
        var data = new List<byte>();
        foreach (string name in names)
        {
            (string type, long[] shape, byte[] bytes) = Tensors[name];
            header[name] = new JsonObject
            {
                ["dtype"] = type,
                ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]),
                ["data_offsets"] = new JsonArray(data.Count, data.Count + bytes.Length),
            };
            data.AddRange(bytes);
        }

        File.WriteAllBytes(path, [.. SafeTensors(header.ToJsonString(), 0), .. data]);
    }
}
