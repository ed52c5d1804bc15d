namespace Silk.NET.Vulkan;

/// <summary>How <see cref="Vk"/> makes an extension's class without reflection. Silk.NET has no such interface: do not name it.</summary>
public interface IVulkanExtension<TSelf>
    where TSelf : IVulkanExtension<TSelf>
{
    /// <summary>The registry's name of the extension.</summary>
    internal static abstract string Name { get; }

    internal static abstract TSelf Create(CommandLoader commands);
}
