using Silk.NET.Vulkan;

namespace Silk.NET.Core.Native;

/// <summary>The commands of an extension of <typeparamref name="T"/>; made by <see cref="Vk.TryGetInstanceExtension"/> and <see cref="Vk.TryGetDeviceExtension"/>.</summary>
public abstract class NativeExtension<T>
    where T : class
{
    private protected NativeExtension(CommandLoader commands) => Commands = commands;

    private protected CommandLoader Commands { get; }
}
