
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
        File.WriteAllText(_folder.File("epoch1.pt"), "");
        File.WriteAllText(_folder.File("epoch2.pt"), "");
        Assert.Contains("several weight files (epoch1.pt, epoch2.pt); name the one", Refusal());
        TestCheckpoint.Load("torchscale_base").Save(_folder.Path);
        File.Delete(_folder.File("config.json"));
        Assert.Contains("config.json: no such file", Refusal());
    }

    [Theory]
    [InlineData("model.safetensors", "model.safetensors")]
    [InlineData("pytorch_model.bin", "state_dict.pt")]
    [InlineData("epoch1.pt", "state_dict.pt")]
    [InlineData("checkpoint_best.pt", "checkpoint_fairseq.pt")]
    [InlineData("weights.safetensors", "model.safetensors")]
    public void AFolderAndItsOnlyFile_AreTheSame(string name, string fixture)
    {
        File.Copy(Repository.Fixture("torchscale_base", fixture), _folder.File(name));
        File.Copy(Repository.Fixture("torchscale_base", "config.json"), _folder.File("config.json"));
        using Checkpoint folder = Checkpoint.Open(_folder.Path);
        using Checkpoint file = Checkpoint.Open(_folder.File(name));

        Assert.Equal([_folder.File(name)], folder.Files);
        Assert.Equal(folder.Files, file.Files);
        Assert.Equal("config.json", file.Config.ShortName);
    }

    [Fact]
    public void WithoutConfigJson_TheWeightsMustCarryTheSettings()
    {
        File.Copy(Repository.Fixture("torchscale_base", "checkpoint_fairseq.pt"), _folder.File("fairseq.pt"));
        File.Copy(Repository.Fixture("torchscale_base", "state_dict.pt"), _folder.File("plain.pt"));
        using (Checkpoint checkpoint = Checkpoint.Open(_folder.File("fairseq.pt")))
            Assert.Equal((_folder.File("fairseq.pt"), 97), (checkpoint.Config.Path, checkpoint.Config.GetInt32("vocab_size", 0)));
        Assert.Contains("config.json: no such file, and the weights carry no settings", Assert.Throws<ConverterException>(() => Checkpoint.Open(_folder.File("plain.pt"))).Message);
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
