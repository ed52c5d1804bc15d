
namespace RetNet.Converter.Tests;

public sealed class SafeTensorsFileTests : IDisposable
{
    private const string TwoTensors = """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_HaveNamesTypesShapesAndData()
    {
        byte[] bytes = TestCheckpoint.SafeTensors(TwoTensors, 26);
        BitConverter.GetBytes(2.5f).CopyTo(bytes, bytes.Length - 6);
        bytes[^1] = 0x40;
        using SafeTensorsFile file = SafeTensorsFile.Open(Save(bytes));
        var a = new float[3];
        var b = new float[1];
        file.Tensors["a"].Read(3, a);
        file.Tensors["b"].Read(0, b);

        Assert.Equal([2L, 3L], file.Tensors["a"].Shape);
        Assert.Equal([0f, 0f, 2.5f], a);
        Assert.Empty(file.Tensors["b"].Shape);
        Assert.Equal([2f], b);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Tensors["a"].Read(4, a));
    }

    [Fact]
    public void OtherTypes_AreListedButNotReadAsNumbers()
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(Repository.Fixture("torchscale_base", "reference.safetensors"));
        CheckpointTensor ids = file.Tensors["ids"];

        Assert.Equal("I32", ids.DataType);
        Assert.Null(ids.Type);
        Assert.Contains("'ids' holds I32", Assert.Throws<ConverterException>(() => ids.Read(0, new float[1])).Message);
    }

    [Fact]
    public void TruncatedAnywhere_IsAConverterException()
    {
        byte[] whole = TestCheckpoint.SafeTensors(TwoTensors, 26);
        for (int length = 0; length < whole.Length; length++)
            ThrowsFor(whole[..length]);
        Assert.Contains("7 bytes are missing", ThrowsFor(whole[..^7]));
    }

    [Fact]
    public void DamagedAnywhere_IsReadOrAConverterException()
    {
        byte[] whole = TestCheckpoint.SafeTensors(TwoTensors, 26);
        for (int i = 0; i < whole.Length; i++)
        {
            foreach (byte value in new byte[] { 0, 0x22, 0x5C, 0x7F, 0x80, 0xFF, (byte)(whole[i] ^ 1), (byte)(whole[i] ^ 0x10) })
            {
                byte[] damaged = [.. whole];
                damaged[i] = value;
                try
                {
                    SafeTensorsFile.Open(Save(damaged)).Dispose();
                }
                catch (ConverterException e)
                {
                    Assert.DoesNotContain(e.Message, char.IsControl);
                }
            }
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "'a' and 'b' overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", "'a' twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""", "'a' takes 12 bytes, but F32 [2] takes 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "'a' has no begin and end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "'a' has no begin and end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "-2 in 'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "1.5 in 'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "impossible size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}""", "takes 9223372036854775807 bytes")]
    [InlineData("""{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}""", "unknown type F4")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", "no valid 'dtype'")]
    [InlineData("""{"a":7}""", "no valid 'dtype'")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "damaged header")]
    [InlineData("""[]""", "no JSON object")]
    [InlineData("""{""", "damaged header")]
    public void HostileHeaders_AreRefused(string header, string expected) =>
        Assert.Contains(expected, ThrowsFor(TestCheckpoint.SafeTensors(header, 16)));

    [Fact]
    public void OtherFiles_AreNamed()
    {
        Assert.Contains("not a safetensors file", ThrowsFor([.. Enumerable.Repeat((byte)0xFF, 20)]));
        Assert.Contains("no such file", Assert.Throws<ConverterException>(() => SafeTensorsFile.Open(_folder.File("none"))).Message);
    }

    private string ThrowsFor(byte[] bytes) => Assert.Throws<ConverterException>(() => SafeTensorsFile.Open(Save(bytes))).Message;

    private string Save(byte[] bytes)
    {
        string path = _folder.File("case.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
