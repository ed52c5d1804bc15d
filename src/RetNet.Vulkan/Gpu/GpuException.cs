using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>Something that the device, its driver or the choice of it does not allow; the message is one line for people.</summary>
public class GpuException : Exception
{
    /// <summary>Creates the exception with its one-line message.</summary>
    public GpuException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its one-line message and cause.</summary>
    public GpuException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A Vulkan call that failed; names the call and its result.</summary>
public sealed class VulkanCallException : GpuException
{
    internal VulkanCallException(string call, Result result, string? detail)
        : base($"{call} failed: {result} ({(int)result}){(detail is null ? "" : ": " + detail)}")
    {
        Call = call;
        Result = (int)result;
    }

    /// <summary>The command, e.g. <c>vkQueueSubmit</c>.</summary>
    public string Call { get; }

    /// <summary>The VkResult as a number.</summary>
    public int Result { get; }
}

/// <summary>The driver gives out no more of the device's memory, whatever it says is left.</summary>
public sealed class OutOfDeviceMemoryException : GpuException
{
    internal OutOfDeviceMemoryException(GpuDevice device, string name, ulong bytes)
        : base($"{device.Gpu.Name} has no memory left for '{name}': its driver gave out {MemoryPlan.Size(device.AllocatedBytes)} and refuses {MemoryPlan.Size(bytes)} more. Take something smaller or choose another device.") =>
        TakenBytes = device.AllocatedBytes;

    /// <summary>Bytes of the device's memory that were taken before.</summary>
    public ulong TakenBytes { get; }
}

internal static class ResultExtensions
{
    /// <summary>Throws when <paramref name="result"/> is an error; success codes such as VK_INCOMPLETE pass.</summary>
    public static void ThrowOnError(this Result result, string call, string? detail = null)
    {
        if (result < Result.Success)
            throw new VulkanCallException(call, result, detail);
    }
}
