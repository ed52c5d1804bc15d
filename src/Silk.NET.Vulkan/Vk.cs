using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Silk.NET.Core;
using Silk.NET.Core.Native;

namespace Silk.NET.Vulkan;

/// <summary>
/// The Vulkan API: one method per command, without the vk prefix, with the C parameters as pointers. Commands are looked up at their
/// first call; a command that is missing throws <see cref="EntryPointNotFoundException"/>. Methods may be called from several threads
/// as far as Vulkan itself allows; the two properties may not be set meanwhile.
/// </summary>
public sealed unsafe partial class Vk : IDisposable
{
    private nint _library;
    private Instance? _currentInstance;
    private Device? _currentDevice;
    private InstanceCommands _instance;
    private DeviceCommands _device;

    private Vk(nint library)
    {
        _library = library;
        Commands = new CommandLoader(library, default, default);
    }

    public static Version32 Version10 => new(1, 0, 0);

    public static Version32 Version11 => new(1, 1, 0);

    public static Version32 Version12 => new(1, 2, 0);

    public static Version32 Version13 => new(1, 3, 0);

    /// <summary>The instance whose commands are called; null for the loader's own.</summary>
    public Instance? CurrentInstance
    {
        get => _currentInstance;
        set
        {
            _currentInstance = value;
            ResetCommands();
        }
    }

    /// <summary>The device whose commands are called without the loader between; null to let the loader find the device at each call.</summary>
    public Device? CurrentDevice
    {
        get => _currentDevice;
        set
        {
            _currentDevice = value;
            ResetCommands();
        }
    }

    private CommandLoader Commands { get; set; }

    public static Version32 MakeVersion(uint major, uint minor, uint patch = 0) => new(major, minor, patch);

    /// <summary>Loads the system's Vulkan loader.</summary>
    /// <exception cref="DllNotFoundException">No Vulkan loader is installed; the message says how to get one.</exception>
    public static Vk GetApi() => new(VulkanLibrary.Load(VulkanLibrary.Names));

    public PfnVoidFunction GetInstanceProcAddr(Instance instance, byte* pName) =>
        new((delegate* unmanaged[Cdecl]<void>)Commands.GetInstanceProcAddr(instance, pName));

    public PfnVoidFunction GetInstanceProcAddr(Instance instance, string pName)
    {
        fixed (byte* utf8 = ZeroTerminated(pName)) return GetInstanceProcAddr(instance, utf8);
    }

    public PfnVoidFunction GetDeviceProcAddr(Device device, byte* pName) =>
        new((delegate* unmanaged[Cdecl]<void>)Commands.GetDeviceProcAddr(device, pName));

    public PfnVoidFunction GetDeviceProcAddr(Device device, string pName)
    {
        fixed (byte* utf8 = ZeroTerminated(pName)) return GetDeviceProcAddr(device, utf8);
    }

    /// <summary>Gets the commands of an instance extension if the loader or a layer offers it; the instance must have been made with it.</summary>
    public bool TryGetInstanceExtension<T>(Instance instance, [NotNullWhen(true)] out T? ext, string? layer = null)
        where T : NativeExtension<Vk>, IVulkanExtension<T>
    {
        ext = IsInstanceExtensionPresent(T.Name, layer) ? T.Create(new CommandLoader(_library, instance, default)) : null;
        return ext is not null;
    }

    /// <summary>Gets the commands of a device extension if any physical device offers it; the device must have been made with it.</summary>
    public bool TryGetDeviceExtension<T>(Instance instance, Device device, [NotNullWhen(true)] out T? ext, string? layer = null)
        where T : NativeExtension<Vk>, IVulkanExtension<T>
    {
        ext = IsDeviceExtensionPresent(instance, T.Name, layer) ? T.Create(new CommandLoader(_library, instance, device)) : null;
        return ext is not null;
    }

    /// <summary>Whether the loader, or the named layer, offers an instance extension.</summary>
    public bool IsInstanceExtensionPresent(string extension, string? layer = null)
    {
        var count = 0u;
        EnumerateInstanceExtensionProperties(layer, &count, null);
        var properties = new ExtensionProperties[count];
        fixed (ExtensionProperties* pointer = properties) EnumerateInstanceExtensionProperties(layer, &count, pointer);
        return Contains(properties, extension);
    }

    /// <summary>Whether any physical device of the instance offers a device extension.</summary>
    public bool IsDeviceExtensionPresent(Instance instance, string extension, string? layer = null)
    {
        var count = 0u;
        EnumeratePhysicalDevices(instance, &count, null);
        var devices = new PhysicalDevice[count];
        fixed (PhysicalDevice* pointer = devices) EnumeratePhysicalDevices(instance, &count, pointer);
        return devices.Any(device => IsDeviceExtensionPresent(device, extension, layer));
    }

    /// <summary>Whether a physical device, or the named layer, offers a device extension.</summary>
    public bool IsDeviceExtensionPresent(PhysicalDevice device, string extension, string? layer = null)
    {
        var count = 0u;
        EnumerateDeviceExtensionProperties(device, layer, &count, null);
        var properties = new ExtensionProperties[count];
        fixed (ExtensionProperties* pointer = properties) EnumerateDeviceExtensionProperties(device, layer, &count, pointer);
        return Contains(properties, extension);
    }

    /// <summary>Releases the loader. Every instance must have been destroyed.</summary>
    public void Dispose()
    {
        if (_library == 0) return;
        NativeLibrary.Free(_library);
        _library = 0;
    }

    private static bool Contains(ExtensionProperties[] properties, string extension)
    {
        foreach (ref var property in properties.AsSpan())
        {
            fixed (byte* name = property.ExtensionName)
            {
                if (Marshal.PtrToStringUTF8((nint)name) == extension) return true;
            }
        }

        return false;
    }

    private static byte[] ZeroTerminated(string text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');

    private void ResetCommands()
    {
        Commands = new CommandLoader(_library, _currentInstance.GetValueOrDefault(), _currentDevice.GetValueOrDefault());
        _instance = default;
        _device = default;
    }
}
