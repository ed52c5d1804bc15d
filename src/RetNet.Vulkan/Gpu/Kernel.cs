using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>A compute pipeline: one SPIR-V variant with its specialization constants fixed.</summary>
public abstract unsafe class Kernel : IDisposable
{
    private readonly GpuDevice _device;
    private bool _disposed;

    private protected Kernel(GpuDevice device, string variant, RequiredSubgroupSize? subgroupSize, ReadOnlySpan<uint> constants)
    {
        _device = device;
        Name = variant;
        if (subgroupSize is { } wanted && device.Capabilities.SubgroupSizeControl?.Include(wanted.Lanes) is not true)
            throw new GpuException($"{device.Gpu.Name} cannot run '{variant}' in subgroups of {wanted.Lanes}.");
        Handle = CreatePipeline(ShaderLibrary.Load(variant), subgroupSize, constants);
        device.SetName(ObjectType.Pipeline, Handle.Handle, variant);
    }

    /// <summary>The variant's name in shaders/variants.props.</summary>
    public string Name { get; }

    internal Pipeline Handle { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _device.Vk.DestroyPipeline(_device.Handle, Handle, null);
        GC.SuppressFinalize(this);
    }

    /// <summary>What the driver made of it, in the driver's words and order; nothing where the device was not opened for that.</summary>
    public IReadOnlyList<KernelStatistic> ReadStatistics()
    {
        if (_device.Executables is not { } executables)
            return [];
        var info = new PipelineExecutableInfoKHR { SType = StructureType.PipelineExecutableInfoKhr, Pipeline = Handle };
        uint count = 0;
        executables.GetPipelineExecutableStatistics(_device.Handle, &info, &count, null).ThrowOnError("vkGetPipelineExecutableStatisticsKHR", Name);
        var statistics = new PipelineExecutableStatisticKHR[count];
        Array.Fill(statistics, new() { SType = StructureType.PipelineExecutableStatisticKhr });
        fixed (PipelineExecutableStatisticKHR* first = statistics)
            executables.GetPipelineExecutableStatistics(_device.Handle, &info, &count, first).ThrowOnError("vkGetPipelineExecutableStatisticsKHR", Name);
        return [.. statistics.Select(Statistic)];
    }

    private static KernelStatistic Statistic(PipelineExecutableStatisticKHR statistic) => new(
        Marshal.PtrToStringUTF8((nint)statistic.Name) ?? "",
        statistic.Format switch
        {
            PipelineExecutableStatisticFormatKHR.Bool32Khr => statistic.Value.B32 ? 1 : 0,
            PipelineExecutableStatisticFormatKHR.Int64Khr => statistic.Value.I64,
            PipelineExecutableStatisticFormatKHR.Uint64Khr => statistic.Value.U64,
            _ => statistic.Value.F64,
        });

    private Pipeline CreatePipeline(ReadOnlySpan<byte> spirv, RequiredSubgroupSize? subgroupSize, ReadOnlySpan<uint> constants)
    {
        var module = CreateModule(spirv);
        var main = "main"u8;
        var entries = stackalloc SpecializationMapEntry[constants.Length];
        for (var i = 0; i < constants.Length; i++)
            entries[i] = new SpecializationMapEntry { ConstantID = (uint)i, Offset = (uint)i * sizeof(uint), Size = sizeof(uint) };
        try
        {
            fixed (byte* entryPoint = main)
            fixed (uint* data = constants)
            {
                var specialization = new SpecializationInfo
                {
                    MapEntryCount = (uint)constants.Length,
                    PMapEntries = entries,
                    DataSize = (nuint)constants.Length * sizeof(uint),
                    PData = data,
                };
                var requiredSize = new PipelineShaderStageRequiredSubgroupSizeCreateInfo
                {
                    SType = StructureType.PipelineShaderStageRequiredSubgroupSizeCreateInfo,
                    RequiredSubgroupSize = subgroupSize.GetValueOrDefault().Lanes,
                };
                var full = subgroupSize is not null && _device.Capabilities.SubgroupSizeControl is { Full: true };
                var info = new ComputePipelineCreateInfo
                {
                    SType = StructureType.ComputePipelineCreateInfo,
                    Flags = _device.Executables is null ? 0 : PipelineCreateFlags.CaptureStatisticsBitKhr,
                    Layout = _device.PipelineLayout,
                    Stage = new PipelineShaderStageCreateInfo
                    {
                        SType = StructureType.PipelineShaderStageCreateInfo,
                        PNext = subgroupSize is null ? null : &requiredSize,
                        Flags = full ? PipelineShaderStageCreateFlags.RequireFullSubgroupsBit : 0,
                        Stage = ShaderStageFlags.ComputeBit,
                        Module = module,
                        PName = entryPoint,
                        PSpecializationInfo = &specialization,
                    },
                };
                Pipeline pipeline;
                _device.Vk.CreateComputePipelines(_device.Handle, _device.PipelineCache, 1, &info, null, &pipeline)
                    .ThrowOnError("vkCreateComputePipelines", Name);
                return pipeline;
            }
        }
        finally
        {
            _device.Vk.DestroyShaderModule(_device.Handle, module, null);
        }
    }

    private ShaderModule CreateModule(ReadOnlySpan<byte> spirv)
    {
        // SPIR-V is read as words; a managed resource need not be aligned to them.
        var words = MemoryMarshal.Cast<byte, uint>(spirv).ToArray();
        fixed (uint* code = words)
        {
            var info = new ShaderModuleCreateInfo
            {
                SType = StructureType.ShaderModuleCreateInfo,
                CodeSize = (nuint)spirv.Length,
                PCode = code,
            };
            ShaderModule module;
            _device.Vk.CreateShaderModule(_device.Handle, &info, null, &module).ThrowOnError("vkCreateShaderModule", Name);
            return module;
        }
    }
}

/// <summary>A kernel and its argument block.</summary>
/// <typeparam name="TArguments">
/// Mirrors the shader's push-constant block: addresses and numbers in the same order, at most <see cref="GpuDevice.ArgumentBytes"/> bytes.
/// </typeparam>
public sealed class Kernel<TArguments> : Kernel
    where TArguments : unmanaged
{
    /// <summary>Builds the pipeline.</summary>
    /// <param name="device">The device; must outlive the kernel.</param>
    /// <param name="variant">Name in shaders/variants.props.</param>
    /// <param name="constants">Values of the specialization constants 0, 1, 2 and so on.</param>
    public Kernel(GpuDevice device, string variant, params ReadOnlySpan<uint> constants)
        : this(device, variant, null, constants)
    {
    }

    /// <summary>Builds the pipeline for a subgroup size.</summary>
    /// <param name="device">The device; must outlive the kernel.</param>
    /// <param name="variant">Name in shaders/variants.props.</param>
    /// <param name="subgroupSize">Lanes of every subgroup, none of them idle where the device can promise that; null leaves it to the driver.</param>
    /// <param name="constants">Values of the specialization constants 0, 1, 2 and so on.</param>
    /// <exception cref="GpuException">The device has no such subgroups (<see cref="DeviceCapabilities.SubgroupSizeControl"/>).</exception>
    public Kernel(GpuDevice device, string variant, RequiredSubgroupSize? subgroupSize, params ReadOnlySpan<uint> constants)
        : base(device, variant, subgroupSize, constants)
    {
        if (Unsafe.SizeOf<TArguments>() > GpuDevice.ArgumentBytes)
            throw new ArgumentException($"{typeof(TArguments).Name} is larger than {GpuDevice.ArgumentBytes} bytes.");
    }
}
