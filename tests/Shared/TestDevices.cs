using RetNet.Vulkan.Gpu;

namespace RetNet.Tests;

/// <summary>
/// Every Vulkan device of this machine that can run the kernels, opened once; under the validation layer where that is
/// installed. Device tests share it and run one after the other.
/// </summary>
public sealed class TestDevices : IDisposable
{
    /// <summary>The collection of tests that use devices.</summary>
    public const string Collection = "devices";

    private static readonly List<string> Messages = [];
    private static readonly GpuInstance Instance = Open();
    private readonly Dictionary<int, GpuDevice> _devices = [];

    /// <summary>One row a device: its index and name.</summary>
    public static TheoryData<int, string> All
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var gpu in Instance.Gpus.Where(gpu => gpu.Capabilities.MissingRequirement is null))
                data.Add(gpu.Index, gpu.Name);
            return data;
        }
    }

    /// <summary>A device of <see cref="All"/>, not opened.</summary>
    public static PhysicalGpu Gpu(int index) => Instance.Gpus[index];

    public GpuDevice this[int index]
    {
        get
        {
            if (!_devices.TryGetValue(index, out var device))
                _devices.Add(index, device = new GpuDevice(Instance.Gpus[index]));
            return device;
        }
    }

    /// <summary>Closes the devices; the validation layer must have stayed silent all along.</summary>
    public void Dispose()
    {
        foreach (var device in _devices.Values)
            device.Dispose();
        lock (Messages)
            Assert.Empty(Messages);
    }

    private static GpuInstance Open()
    {
        try
        {
            return new GpuInstance(validate: true, message =>
            {
                lock (Messages)
                    Messages.Add(message);
            });
        }
        catch (GpuException e) when (e.Message.Contains("is not installed", StringComparison.Ordinal))
        {
            return new GpuInstance();
        }
    }
}
