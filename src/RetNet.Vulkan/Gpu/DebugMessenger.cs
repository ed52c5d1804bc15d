using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Silk.NET.Core;
using Silk.NET.Vulkan;
using Silk.NET.Vulkan.Extensions.EXT;

namespace RetNet.Vulkan.Gpu;

/// <summary>Hands the validation layer's warnings and errors on, and names Vulkan objects for it.</summary>
internal sealed unsafe class DebugMessenger : IDisposable
{
    private readonly ExtDebugUtils _debugUtils;
    private readonly Instance _instance;
    private readonly DebugUtilsMessengerEXT _messenger;
    private GCHandle _receiver;

    public DebugMessenger(Vk vk, Instance instance, Action<string> onMessage)
    {
        if (!vk.TryGetInstanceExtension(instance, out ExtDebugUtils? debugUtils))
            throw new GpuException("The Vulkan loader has no VK_EXT_debug_utils, which validation needs.");
        _debugUtils = debugUtils;
        _instance = instance;
        _receiver = GCHandle.Alloc(onMessage);
        var info = new DebugUtilsMessengerCreateInfoEXT
        {
            SType = StructureType.DebugUtilsMessengerCreateInfoExt,
            MessageSeverity = DebugUtilsMessageSeverityFlagsEXT.WarningBitExt | DebugUtilsMessageSeverityFlagsEXT.ErrorBitExt,
            MessageType = DebugUtilsMessageTypeFlagsEXT.ValidationBitExt | DebugUtilsMessageTypeFlagsEXT.PerformanceBitExt,
            PfnUserCallback = new PfnDebugUtilsMessengerCallbackEXT(&OnMessage),
            PUserData = (void*)GCHandle.ToIntPtr(_receiver),
        };
        DebugUtilsMessengerEXT messenger;
        _debugUtils.CreateDebugUtilsMessenger(instance, &info, null, &messenger).ThrowOnError("vkCreateDebugUtilsMessengerEXT");
        _messenger = messenger;
    }

    /// <summary>Names a Vulkan object in the layer's messages and in profilers.</summary>
    public void Name(Device device, ObjectType type, ulong handle, string name)
    {
        var text = Marshal.StringToCoTaskMemUTF8(name);
        var info = new DebugUtilsObjectNameInfoEXT
        {
            SType = StructureType.DebugUtilsObjectNameInfoExt,
            ObjectType = type,
            ObjectHandle = handle,
            PObjectName = (byte*)text,
        };
        var result = _debugUtils.SetDebugUtilsObjectName(device, &info);
        Marshal.FreeCoTaskMem(text);
        result.ThrowOnError("vkSetDebugUtilsObjectNameEXT");
    }

    public void Dispose()
    {
        _debugUtils.DestroyDebugUtilsMessenger(_instance, _messenger, null);
        _receiver.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static Bool32 OnMessage(
        DebugUtilsMessageSeverityFlagsEXT severity, DebugUtilsMessageTypeFlagsEXT types, DebugUtilsMessengerCallbackDataEXT* data, void* userData)
    {
        var receiver = (Action<string>)GCHandle.FromIntPtr((nint)userData).Target!;
        receiver(Marshal.PtrToStringUTF8((nint)data->PMessage) ?? "");
        return false;
    }
}
