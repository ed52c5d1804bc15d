using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Silk.NET.Vulkan;

/// <summary>Finds commands for one instance and device; either may be null (handle 0).</summary>
internal sealed unsafe class CommandLoader
{
    private readonly nint _library;
    private readonly Instance _instance;
    private readonly Device _device;
    private readonly delegate* unmanaged<Instance, byte*, nint> _getInstanceProcAddr;
    private readonly delegate* unmanaged<Device, byte*, nint> _getDeviceProcAddr;

    public CommandLoader(nint library, Instance instance, Device device)
    {
        _library = library;
        _instance = instance;
        _device = device;
        _getInstanceProcAddr = (delegate* unmanaged<Instance, byte*, nint>)NativeLibrary.GetExport(library, "vkGetInstanceProcAddr");
        _getDeviceProcAddr = (delegate* unmanaged<Device, byte*, nint>)NativeLibrary.GetExport(library, "vkGetDeviceProcAddr");
    }

    public nint GetInstanceProcAddr(Instance instance, byte* name) => _getInstanceProcAddr(instance, name);

    public nint GetDeviceProcAddr(Device device, byte* name) => _getDeviceProcAddr(device, name);

    /// <summary>A command of the loader, an instance or a physical device.</summary>
    /// <param name="name">The command's name in UTF-8, a literal: it must end in a zero byte that the span does not count.</param>
    /// <exception cref="EntryPointNotFoundException">Neither the instance nor the loader has the command.</exception>
    public void* InstanceCommand(ReadOnlySpan<byte> name)
    {
        fixed (byte* pointer = name)
        {
            var address = _getInstanceProcAddr(_instance, pointer);
            // Without an instance the loader's own exports still reach every core command.
            if (address == 0 && !NativeLibrary.TryGetExport(_library, Encoding.UTF8.GetString(name), out address)) ThrowNotFound(name);
            return (void*)address;
        }
    }

    /// <summary>A command of a device, its queues or command buffers, past the loader's dispatch if the device is known.</summary>
    /// <param name="name">As for <see cref="InstanceCommand"/>.</param>
    /// <exception cref="EntryPointNotFoundException">The device does not have the command, for instance because its extension was not enabled.</exception>
    public void* DeviceCommand(ReadOnlySpan<byte> name)
    {
        if (_device.Handle == 0) return InstanceCommand(name);
        fixed (byte* pointer = name)
        {
            var address = _getDeviceProcAddr(_device, pointer);
            if (address == 0) ThrowNotFound(name);
            return (void*)address;
        }
    }

    [DoesNotReturn]
    private static void ThrowNotFound(ReadOnlySpan<byte> name) => throw new EntryPointNotFoundException(
        $"The Vulkan command {Encoding.UTF8.GetString(name)} is not available: it needs a newer Vulkan version or an extension that was not enabled.");
}
