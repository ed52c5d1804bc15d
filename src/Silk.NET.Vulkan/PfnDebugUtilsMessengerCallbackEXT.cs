using System.Runtime.InteropServices;

namespace Silk.NET.Vulkan;

public readonly unsafe partial struct PfnDebugUtilsMessengerCallbackEXT
{
    /// <summary>Wraps a delegate, which the caller keeps alive as long as the messenger may call it.</summary>
    public PfnDebugUtilsMessengerCallbackEXT(DebugUtilsMessengerCallbackFunctionEXT func) =>
        _handle = (void*)Marshal.GetFunctionPointerForDelegate(func);

    public static implicit operator PfnDebugUtilsMessengerCallbackEXT(DebugUtilsMessengerCallbackFunctionEXT func) => new(func);
}
