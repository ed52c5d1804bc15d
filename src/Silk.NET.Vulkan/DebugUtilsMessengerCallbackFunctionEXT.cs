using System.Runtime.InteropServices;

namespace Silk.NET.Vulkan;

/// <summary>Receives a message of the validation layers or a driver; returns false (VK_FALSE) unless it is a layer's own test.</summary>
[UnmanagedFunctionPointer(CallingConvention.Cdecl)]
public unsafe delegate uint DebugUtilsMessengerCallbackFunctionEXT(
    DebugUtilsMessageSeverityFlagsEXT messageSeverity,
    DebugUtilsMessageTypeFlagsEXT messageTypes,
    DebugUtilsMessengerCallbackDataEXT* pCallbackData,
    void* pUserData);
