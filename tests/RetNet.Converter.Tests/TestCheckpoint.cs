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

    public TestCheckpoint SaveSharded(string folder, int shards)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        var map = new JsonObject();
        string[][] parts = [.. Tensors.Keys.Order().Chunk((Tensors.Count + shards - 1) / shards)];
        for (int i = 0; i < parts.Length; i++)
        {
            string file = $"model-{i + 1:00000}-of-{shards:00000}.safetensors";
            Write(Path.Combine(folder, file), parts[i]);
            foreach (string name in parts[i])
                map[name] = file;
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return this;
    }

    public static byte[] SafeTensors(string header, int dataBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]];
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
