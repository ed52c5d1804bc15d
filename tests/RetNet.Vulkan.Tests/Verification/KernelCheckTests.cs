using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Verification;

namespace RetNet.Vulkan.Tests.Verification;

/// <summary>Every kernel variant against the oracle on every device, and that a check can fail.</summary>
[Collection(TestDevices.Collection)]
public sealed class KernelCheckTests(TestDevices devices)
{
    public static TheoryData<int, string> Runnable
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var device in TestDevices.All)
                foreach (var check in KernelChecks.All.Where(check => check.Needs.All(need => need.IsMetBy(TestDevices.Gpu((int)device[0]).Capabilities))))
                    data.Add((int)device[0], check.Variant);
            return data;
        }
    }

    private GpuDevice First => devices[(int)TestDevices.All.First()[0]];

    [Theory]
    [MemberData(nameof(Runnable))]
    public void EqualsTheOracle(int device, string variant)
    {
        var result = KernelChecks.Of(variant).Run(devices[device]);

        Assert.Null(result.Problem);
        Assert.True(result.HasRun);
        Assert.InRange(result.Error, 0, result.Allowed);
    }

    [Fact]
    public void EveryVariantHasACheck() => Assert.Equal(ShaderLibrary.Variants, KernelChecks.All.Select(check => check.Variant));

    [Fact]
    public void NeedsAreReadOutOfTheKernels()
    {
        Assert.Equal(["64-bit integers", "subgroup broadcast", "subgroups of 4 to 16"], KernelChecks.Of("matvec_lane_f16").Needs.Select(need => need.Words).Order());
        Assert.Empty(KernelChecks.Of("matvec_subgroup_q8_0").Needs);
    }

    /// <summary>One value of the reference off by three times what is allowed.</summary>
    [Theory]
    [InlineData("matvec_subgroup_f32")]
    [InlineData("embedding_f16")]
    [InlineData("embedding_rows_bf16")]
    [InlineData("norm")]
    [InlineData("head_norm")]
    [InlineData("rotate")]
    [InlineData("retention_recurrent")]
    [InlineData("retention_chunk_states")]
    [InlineData("retention_chunk_outputs")]
    [InlineData("attention")]
    [InlineData("attention_combine")]
    [InlineData("retention_chunk_states_lane")]
    [InlineData("retention_chunk_outputs_lane")]
    [InlineData("matmul_lane_q8_0")]
    [InlineData("norm_backward")]
    [InlineData("norm_weight")]
    [InlineData("column_sum")]
    [InlineData("head_norm_backward")]
    [InlineData("unit")]
    [InlineData("unit_backward")]
    [InlineData("head_sum")]
    [InlineData("product_tile")]
    [InlineData("product_lane")]
    [InlineData("cross_entropy")]
    [InlineData("embedding_gradient")]
    [InlineData("squares")]
    [InlineData("clip")]
    [InlineData("adamw")]
    [InlineData("sgd")]
    [InlineData("sample")]
    public void AWrongValueIsSeen(string variant)
    {
        var check = KernelChecks.Of(variant);
        // A machine without a device for it has nothing to see.
        if (TestDevices.All.Select(device => devices[(int)device[0]]).FirstOrDefault(device => check.Needs.All(need => need.IsMetBy(device.Capabilities))) is not { } device)
            return;
        var result = check.Run(device, reference => reference[^1] += 3 * check.Tolerance * reference.Where(double.IsFinite).Append(0).Max(Math.Abs) + (variant == "sample" ? 100 : 0));

        Assert.True(result.IsWrong);
        Assert.True(result.Error > result.Allowed);
    }

    /// <summary>A kernel that takes nibbles for other numbers than they are.</summary>
    [Fact]
    public void AnotherKernelIsSeen()
    {
        var q4 = BlockType.Of(GgmlType.Q4_0);
        Assert.True(new ProductCheck("matvec_subgroup_iq4_nl", q4).Run(First).Error > 0.01);
        Assert.True(new EmbeddingCheck("embedding_iq4_nl", q4).Run(First).Error > 0.01);
    }

    /// <summary>A norm of one column more than its output has room for.</summary>
    [Fact]
    public void WritingOutsideTheOutputIsSeen()
    {
        using var arena = new CheckArena(First);
        using var kernel = new Kernel<NormArguments>(First, "norm", 32, 0);
        var x = arena.Add<float>("x", new float[8]);
        var y = arena.AddOutput<float>("y", new float[7]);
        string? Run(ulong to, uint columns) =>
            arena.Run("norm", recorder => recorder.Dispatch(kernel, new NormArguments { X = x, Y = to, Weight = x, Bias = x, Columns = columns, Eps = 1 }, 1));

        Assert.Null(Run(y, 7));
        Assert.Equal("wrote behind the end of 'y', 0 bytes", Run(y, 8));
    }

    [Fact]
    public void NotANumberIsWrong() => Assert.Equal(double.PositiveInfinity, Deviation.Of<double, float>([1, 2], [1, float.NaN]).Error);
}
