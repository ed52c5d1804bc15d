using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Tests.Execution;
using RetNet.Vulkan.Verification;

namespace RetNet.Vulkan.Tests.Verification;

[Collection(TestDevices.Collection)]
public sealed class ModelVerificationTests(TestDevices devices)
{
    private const string Shape = "grouped values, plain eps, relu";

    private static RandomModel Multiples => new(RandomModel.Shape(layers: 2, width: 64, heads: 2, keySize: 32, valueSize: 64, feedForward: 192, vocabulary: 75), seed: 5, _ => false);

    /// <summary>Devices, and shapes whose step is a chain of any few sequences, of one alone, and never.</summary>
    public static TheoryData<int, string, int> Schedules
    {
        get
        {
            var data = new TheoryData<int, string, int>();
            foreach (var device in TestDevices.All)
            {
                data.Add((int)device[0], "multiples of 64", 8);
                data.Add((int)device[0], "odd widths", 1);
                data.Add((int)device[0], "LayerNorm, biases, plain FFN", 0);
            }

            return data;
        }
    }

    [Fact]
    public void FormsAgreeAndTheOracleTakesWhatItsTimeAllows()
    {
        using var folder = new TemporaryFolder();
        using var model = ModelShapes.Load(devices[(int)TestDevices.All.First()[0]], Shape, "q8_0", folder.File("model.gguf"));
        using var file = GgufFile.Open(folder.File("model.gguf"));
        var verification = new ModelVerification(model, file);

        var all = verification.AgainstOracle(TimeSpan.FromMinutes(1));
        Assert.Equal((ModelVerification.Tokens, null, null), (all.Cases, all.Note, all.Problem));
        var bounded = verification.AgainstOracle(TimeSpan.Zero);
        Assert.Equal(1, bounded.Cases);
        Assert.StartsWith("1 of 70 tokens", bounded.Note, StringComparison.Ordinal);
        var forms = verification.Forms().ToArray();
        Assert.Equal(["chunkwise, chunks of 1", "chunkwise, chunks of 16", "chunkwise, chunks of 64", "parallel"], forms.Select(form => form.Name));
        Assert.All(forms, form => Assert.Null(form.Problem));
        var batches = verification.Batches().ToArray();
        Assert.Equal(["recurrent, 2 sequences", "recurrent, 8 sequences", "recurrent, 16 sequences", "recurrent, 32 sequences", "recurrent, 64 sequences"], batches.Select(batch => batch.Name));
        Assert.All(batches, batch => Assert.True(batch is { HasRun: true, Problem: null, Error: > 0 }));
    }

    /// <summary>A GPU's kernels and their order, on whatever device there is.</summary>
    [Theory]
    [MemberData(nameof(Schedules))]
    public void AGpusScheduleComputesRight(int index, string shape, int mostChained)
    {
        using var folder = new TemporaryFolder();
        using var device = new GpuDevice(TestDevices.Gpu(index).AsGpu());
        using var model = ModelShapes.Load(device, shape == "multiples of 64" ? Multiples : ModelShapes.Create(shape), "q8_0", folder.File("model.gguf"));
        using var file = GgufFile.Open(folder.File("model.gguf"));
        var tuning = Tuning.For(device.Capabilities);
        Assert.All((int[])[1, 8], sequences => Assert.Equal(sequences <= mostChained ? ChainScope.Step : ChainScope.None, Network.Chain(model, tuning, sequences, products: null)));
        var verification = new ModelVerification(model, file);

        CheckResult[] results = [verification.AgainstOracle(TimeSpan.FromMinutes(1)), .. verification.Forms(), .. verification.Batches()];

        Assert.All(results, result => Assert.True(result is { HasRun: true, Problem: null }, $"{result.Name}: {result.Problem ?? result.Note}"));
    }

    /// <summary>Other weights on the device than in the file.</summary>
    [Fact]
    public void AnotherModelIsSeen()
    {
        using var folder = new TemporaryFolder();
        using var model = ModelShapes.Load(devices[(int)TestDevices.All.First()[0]], Shape, "q4_0", folder.File("loaded.gguf"));
        ModelShapes.Create(Shape).Write(folder.File("other.gguf"), GgmlType.F16);
        using var file = GgufFile.Open(folder.File("other.gguf"));

        Assert.True(new ModelVerification(model, file).AgainstOracle(TimeSpan.FromMinutes(1)).IsWrong);
    }
}
