using System.Runtime.InteropServices;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Gpu;

[Collection(TestDevices.Collection)]
public sealed class ShaderNeedTests
{
    private const uint CooperativeMatrixKhr = 6022;
    private const uint TensorAddressingNV = 5439;
    private const uint CooperativeMatrixTensorAddressingNV = 5433;
    private const uint CooperativeMatrixReductionsNV = 5430;

    private static readonly WorkgroupMatrices Matrices = new()
    {
        Granularities = [new(32, 16, 16, 128)],
        MaxInvocations = 128,
        MaxDimension = 256,
        ReservedSharedMemoryBytes = 1024,
        Reductions = false,
        Conversions = true,
        PerElementOperations = true,
    };

    [Fact]
    public void WhatEveryDeviceHasIsNoNeed() => Assert.Empty(ShaderNeed.In(Module(1, 61, 63, 5347)));

    [Fact]
    public void MatricesNeedAShapeAndWhatTheyAreUsedWith()
    {
        var needs = ShaderNeed.In(Module(1, 9, 4433, 5345, CooperativeMatrixKhr));
        Assert.Equal(["16-bit floats", "16-bit storage", "the Vulkan memory model", "cooperative matrices of f16"], needs.Select(need => need.Words));
        var can = TestDevices.Gpu(0).Capabilities with { Float16 = true, Storage16Bit = true, MemoryModel = true, MatrixShapes = [new(8, 16, 16)] };
        Assert.All(needs, need => Assert.True(need.IsMetBy(can)));
        Assert.Equal(["cooperative matrices of f16"], needs.Where(need => !need.IsMetBy(can with { MatrixShapes = [] })).Select(need => need.Words));
    }

    [Fact]
    public void TheCapabilitiesOfWorkgroupMatricesAreOneNeed()
    {
        var need = Assert.Single(ShaderNeed.In(Module(TensorAddressingNV, CooperativeMatrixTensorAddressingNV)));
        Assert.Equal("cooperative matrices of workgroups", need.Words);
        Assert.True(need.IsMetBy(TestDevices.Gpu(0).Capabilities with { WorkgroupMatrices = Matrices }));
        Assert.False(need.IsMetBy(TestDevices.Gpu(0).Capabilities with { WorkgroupMatrices = null }));
    }

    [Fact]
    public void AnOptionalFeatureOfWorkgroupMatricesIsANeedOfItsOwn()
    {
        var need = Assert.Single(ShaderNeed.In(Module(CooperativeMatrixReductionsNV)));
        Assert.Equal("cooperative matrix reductions", need.Words);
        Assert.True(need.IsMetBy(TestDevices.Gpu(0).Capabilities with { WorkgroupMatrices = Matrices with { Reductions = true } }));
        Assert.False(need.IsMetBy(TestDevices.Gpu(0).Capabilities with { WorkgroupMatrices = Matrices }));
    }

    [Fact]
    public void ACapabilityThatIsNotKnownIsMetByNoDevice()
    {
        var need = Assert.Single(ShaderNeed.In(Module(1, 5296)));
        Assert.Equal("SPIR-V capability 5296", need.Words);
        Assert.False(need.IsMetBy(TestDevices.Gpu(0).Capabilities));
    }

    /// <summary>A header, capabilities and an OpMemoryModel.</summary>
    private static byte[] Module(params uint[] capabilities) =>
        [.. MemoryMarshal.AsBytes<uint>([0x07230203, 0x00010500, 0, 1, 0, .. capabilities.SelectMany(capability => new[] { 2u << 16 | 17, capability }), 3u << 16 | 14, 5348, 1])];
}
