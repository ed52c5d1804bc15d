using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>A Vulkan device of this machine, before it is opened.</summary>
public sealed class PhysicalGpu
{
    internal PhysicalGpu(GpuInstance instance, PhysicalDevice handle, int index)
    {
        Instance = instance;
        Handle = handle;
        Index = index;
        PhysicalGpuQuery.Read(this, out var description);
        (Name, Driver, Vendor, Uuid) = (description.Name, description.Driver, description.Vendor, description.Uuid);
        (Capabilities, QueueFamily) = (description.Capabilities, description.QueueFamily);
    }

    private PhysicalGpu(PhysicalGpu gpu, DeviceCapabilities capabilities)
    {
        (Instance, Handle, Index) = (gpu.Instance, gpu.Handle, gpu.Index);
        (Name, Driver, Vendor, Uuid) = (gpu.Name, gpu.Driver, gpu.Vendor, gpu.Uuid);
        (Capabilities, QueueFamily) = (capabilities, gpu.QueueFamily);
    }

    /// <summary>Position in the loader's list; what <c>--device 1</c> means.</summary>
    public int Index { get; }

    /// <summary>The driver's name for the device.</summary>
    public string Name { get; }

    /// <summary>Driver name and version, e.g. <c>llvmpipe, Mesa 22.3.6 (LLVM 15.0.6)</c>.</summary>
    public string Driver { get; }

    /// <summary>Vendor by PCI number, e.g. <c>NVIDIA</c>; the number itself when it is not a known one.</summary>
    public string Vendor { get; }

    /// <summary>The device's UUID, stable across runs.</summary>
    public Guid Uuid { get; }

    /// <summary>What the device can do.</summary>
    public DeviceCapabilities Capabilities { get; }

    internal GpuInstance Instance { get; }

    internal PhysicalDevice Handle { get; }

    internal uint QueueFamily { get; }

    /// <summary>
    /// The same device, said to be a GPU without matrix units where it is a processor: so that it is given a GPU's kernels and schedule, if not its tiles of
    /// matrices, which take a processor's driver minutes to build.
    /// </summary>
    internal PhysicalGpu AsGpu() =>
        Capabilities.Kind == DeviceKind.Cpu ? new(this, Capabilities with { Kind = DeviceKind.DiscreteGpu, MatrixShapes = [], WorkgroupMatrices = null }) : this;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Driver})";
}
