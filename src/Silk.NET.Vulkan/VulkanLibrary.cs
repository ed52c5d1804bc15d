using System.Runtime.InteropServices;

namespace Silk.NET.Vulkan;

/// <summary>The system's Vulkan loader library.</summary>
internal static class VulkanLibrary
{
    /// <summary>The names under which the platform knows the library, in the order to try.</summary>
    public static string[] Names =>
        OperatingSystem.IsWindows() ? ["vulkan-1.dll"] :
        OperatingSystem.IsMacOS() ? ["libvulkan.1.dylib", "libMoltenVK.dylib"] :
        ["libvulkan.so.1", "libvulkan.so"];

    /// <summary>Loads the first library that there is.</summary>
    /// <exception cref="DllNotFoundException">No Vulkan loader is installed; the message says how to get one.</exception>
    public static nint Load(string[] names)
    {
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, out var library)) return library;
        }

        throw new DllNotFoundException($"The Vulkan loader ({string.Join(" or ", names)}) was not found. {Advice}");
    }

    private static string Advice =>
        OperatingSystem.IsWindows() ? "It comes with the graphics driver: install the GPU vendor's current driver." :
        OperatingSystem.IsMacOS() ? "Install the Vulkan SDK from https://vulkan.lunarg.com, or MoltenVK (brew install molten-vk vulkan-loader)." :
        "Install it (Debian, Ubuntu: apt install libvulkan1; Fedora: dnf install vulkan-loader; Arch: pacman -S vulkan-icd-loader) and a driver for the GPU.";
}
