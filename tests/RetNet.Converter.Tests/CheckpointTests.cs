
namespace RetNet.Converter.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_ArePutTogether()
    {
        TestCheckpoint test = TestCheckpoint.Load("torchscale_base").SaveSharded(_folder.Path, 4);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);

        Assert.Equal(4, checkpoint.Files.Count);
        Assert.Equal(test.Tensors.Keys.Order(), checkpoint.Tensors.Keys.Order());
    }

    [Fact]
    public void AMissingShard_IsNamed()
    {
        TestCheckpoint.Load("torchscale_base").SaveSharded(_folder.Path, 3);
        File.Delete(_folder.File("model-00002-of-00003.safetensors"));
        Assert.Contains("model-00002-of-00003.safetensors: no such file", Refusal());
    }

    [Fact]
    public void AShardThatLacksATensor_IsNamed()
    {
        TestCheckpoint test = TestCheckpoint.Load("torchscale_base").SaveSharded(_folder.Path, 3);
        string index = File.ReadAllText(_folder.File("model.safetensors.index.json"));
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index.Replace("layer_norm.weight\"", "layer_norm.mass\"", StringComparison.Ordinal));
        Assert.Contains("lacks the tensor '", Refusal());
        Assert.Contains("layer_norm.mass", Refusal());
        Assert.NotEmpty(test.Tensors);
    }

    [Fact]
    public void ATensorInTwoShards_IsNamed()
    {
        TestCheckpoint.Load("torchscale_base").SaveSharded(_folder.Path, 3);
        File.Copy(_folder.File("model-00001-of-00003.safetensors"), _folder.File("model-00002-of-00003.safetensors"), overwrite: true);
        Assert.Contains("has the tensor 'embed_tokens.weight', which model-00001-of-00003.safetensors has too", Refusal());
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../model.safetensors"}}""", "file in the same folder")]
    [InlineData("""{"weight_map":{"a":7}}""", "file in the same folder")]
    [InlineData("""{"weight_map":{"a":""}}""", "file in the same folder")]
    [InlineData("""{"weight_map":{"\udc00":"x"}}""", "not text")]
    [InlineData("""{"weight_map":{}}""", "lists no tensors")]
    [InlineData("""{"weight_map":[]}""", "no 'weight_map'")]
    [InlineData("""[]""", "not an object")]
    [InlineData("""{"weight""", "not valid JSON")]
    public void HostileIndexes_AreRefused(string index, string expected)
    {
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index);
        Assert.Contains(expected, Refusal());
    }

    [Fact]
    public void FoldersWithoutWhatIsNeeded_AreNamed()
    {
        Assert.Contains("no such file or folder", Assert.Throws<ConverterException>(() => Checkpoint.Open(_folder.File("none"))).Message);
        Assert.Contains("holds no weights", Refusal());
        File.WriteAllText(_folder.File("state_dict.pt"), "");
        Assert.Contains("holds 'state_dict.pt'", Refusal());
        TestCheckpoint.Load("torchscale_base").Save(_folder.Path);
        File.Delete(_folder.File("config.json"));
        Assert.Contains("config.json: no such file", Refusal());
    }

    [Theory]
    [InlineData("""{"vocab_size": "97"}""", "'vocab_size'")]
    [InlineData("""{"\ud800\ud800": 1}""", "not text")]
    [InlineData("""{"vocab_size": 97""", "not valid JSON")]
    [InlineData("""null""", "not an object")]
    public void HostileConfigs_AreRefused(string config, string expected)
    {
        TestCheckpoint.Load("torchscale_base").Save(_folder.Path);
        File.WriteAllText(_folder.File("config.json"), config);
        Assert.Contains(expected, Assert.Throws<ConverterException>(() =>
        {
            using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
            checkpoint.Config.GetInt32("vocab_size", 0);
        }).Message);
    }

    private string Refusal() => Assert.Throws<ConverterException>(() => Checkpoint.Open(_folder.Path)).Message;
}
