using System.Runtime.InteropServices;
using Silk.NET.Vulkan.Extensions.EXT;
using Silk.NET.Vulkan.Extensions.KHR;

namespace Silk.NET.Vulkan.Tests;

/// <summary>Calls the installed loader and driver (Mesa's lavapipe will do).</summary>
public sealed unsafe class VkTests : IDisposable
{
    private readonly Vk _vk = Vk.GetApi();
    private Instance _instance;

    public void Dispose()
    {
        if (_instance.Handle != 0) _vk.DestroyInstance(_instance, null);
        _vk.Dispose();
    }

    [Fact]
    public void ListsPhysicalDevices()
    {
        CreateInstance();
        foreach (var device in PhysicalDevices())
        {
            PhysicalDeviceProperties properties;
            _vk.GetPhysicalDeviceProperties(device, &properties);
            Assert.NotEqual("", Marshal.PtrToStringUTF8((nint)properties.DeviceName));
            Assert.InRange(properties.Limits.MaxPushConstantsSize, 128u, 1u << 20);
            Assert.Equal(1u, ((Core.Version32)properties.ApiVersion).Major);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FillsABufferOnTheDevice(bool pastTheLoader)
    {
        CreateInstance();
        var physicalDevice = PhysicalDevices()[0];
        var device = CreateDevice(physicalDevice);
        _vk.CurrentDevice = pastTheLoader ? device : null;
        try
        {
            Assert.Equal(0xC0FFEEu, Fill(physicalDevice, device, 0xC0FFEE, bytes: 4 * 331));
        }
        finally
        {
            _vk.DestroyDevice(device, null);
        }
    }

    [Fact]
    public void LooksUpCommandsByName()
    {
        CreateInstance();
        Assert.NotEqual(0, (nint)_vk.GetInstanceProcAddr(_instance, "vkCreateDevice"));
        Assert.Equal(0, (nint)_vk.GetInstanceProcAddr(_instance, "vkNoSuchCommand"));
    }

    [Fact]
    public void AnExtensionThatIsNotPresentIsNotGiven()
    {
        CreateInstance();
        Assert.False(_vk.IsInstanceExtensionPresent("VK_EXT_no_such_extension"));
        // A device extension is none of the instance.
        Assert.False(_vk.TryGetInstanceExtension(_instance, out KhrPipelineExecutableProperties? extension));
        Assert.Null(extension);
    }

    [Fact]
    public void ACommandOfAnExtensionThatIsNotEnabledThrowsItsName()
    {
        CreateInstance();
        Assert.True(_vk.TryGetInstanceExtension(_instance, out ExtDebugUtils? debugUtils));
        var exception = Assert.Throws<EntryPointNotFoundException>(() => debugUtils.DestroyDebugUtilsMessenger(_instance, default, null));
        Assert.Contains("vkDestroyDebugUtilsMessengerEXT", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMessengerReceivesMessages()
    {
        CreateInstance(ExtDebugUtils.ExtensionName);
        Assert.True(_vk.TryGetInstanceExtension(_instance, out ExtDebugUtils? debugUtils));
        var received = "";
        DebugUtilsMessengerCallbackFunctionEXT callback = (_, _, data, _) =>
        {
            received = Marshal.PtrToStringUTF8((nint)data->PMessage);
            return Vk.False;
        };
        var createInfo = new DebugUtilsMessengerCreateInfoEXT
        {
            SType = StructureType.DebugUtilsMessengerCreateInfoExt,
            MessageSeverity = DebugUtilsMessageSeverityFlagsEXT.WarningBitExt,
            MessageType = DebugUtilsMessageTypeFlagsEXT.GeneralBitExt,
            PfnUserCallback = callback,
        };
        DebugUtilsMessengerEXT messenger;
        Assert.Equal(Result.Success, debugUtils.CreateDebugUtilsMessenger(_instance, &createInfo, null, &messenger));
        fixed (byte* message = "héllo"u8)
        {
            var data = new DebugUtilsMessengerCallbackDataEXT { SType = StructureType.DebugUtilsMessengerCallbackDataExt, PMessage = message };
            debugUtils.SubmitDebugUtilsMessage(_instance, createInfo.MessageSeverity, createInfo.MessageType, &data);
        }

        debugUtils.DestroyDebugUtilsMessenger(_instance, messenger, null);
        GC.KeepAlive(callback);
        Assert.Equal("héllo", received);
    }

    private void CreateInstance(string? extension = null)
    {
        var application = new ApplicationInfo { SType = StructureType.ApplicationInfo, ApiVersion = Vk.Version12 };
        var name = (byte*)Marshal.StringToCoTaskMemUTF8(extension);
        var createInfo = new InstanceCreateInfo
        {
            SType = StructureType.InstanceCreateInfo,
            PApplicationInfo = &application,
            EnabledExtensionCount = extension is null ? 0u : 1u,
            PpEnabledExtensionNames = &name,
        };
        Instance instance;
        var result = _vk.CreateInstance(&createInfo, null, &instance);
        Marshal.FreeCoTaskMem((nint)name);
        Assert.Equal(Result.Success, result);
        _instance = instance;
        _vk.CurrentInstance = instance;
    }

    private PhysicalDevice[] PhysicalDevices()
    {
        uint count;
        Assert.Equal(Result.Success, _vk.EnumeratePhysicalDevices(_instance, &count, null));
        var devices = new PhysicalDevice[count];
        fixed (PhysicalDevice* pointer = devices) Assert.Equal(Result.Success, _vk.EnumeratePhysicalDevices(_instance, &count, pointer));
        Assert.NotEmpty(devices);
        return devices;
    }

    private Device CreateDevice(PhysicalDevice physicalDevice)
    {
        var priority = 1f;
        var queue = new DeviceQueueCreateInfo { SType = StructureType.DeviceQueueCreateInfo, QueueCount = 1, PQueuePriorities = &priority };
        var createInfo = new DeviceCreateInfo { SType = StructureType.DeviceCreateInfo, QueueCreateInfoCount = 1, PQueueCreateInfos = &queue };
        Device device;
        Assert.Equal(Result.Success, _vk.CreateDevice(physicalDevice, &createInfo, null, &device));
        return device;
    }

    /// <summary>Fills a host-visible buffer with a command buffer and returns its last word.</summary>
    private uint Fill(PhysicalDevice physicalDevice, Device device, uint value, ulong bytes)
    {
        var bufferInfo = new BufferCreateInfo { SType = StructureType.BufferCreateInfo, Size = bytes, Usage = BufferUsageFlags.TransferDstBit };
        Buffer buffer;
        Assert.Equal(Result.Success, _vk.CreateBuffer(device, &bufferInfo, null, &buffer));
        MemoryRequirements requirements;
        _vk.GetBufferMemoryRequirements(device, buffer, &requirements);
        var memory = AllocateHostMemory(physicalDevice, device, requirements);
        Assert.Equal(Result.Success, _vk.BindBufferMemory(device, buffer, memory, 0));

        var destination = buffer;
        Submit(device, commands => _vk.CmdFillBuffer(commands, destination, 0, Vk.WholeSize, value));

        void* mapped;
        Assert.Equal(Result.Success, _vk.MapMemory(device, memory, 0, Vk.WholeSize, 0, &mapped));
        var last = ((uint*)mapped)[bytes / sizeof(uint) - 1];
        _vk.UnmapMemory(device, memory);
        _vk.DestroyBuffer(device, buffer, null);
        _vk.FreeMemory(device, memory, null);
        return last;
    }

    private DeviceMemory AllocateHostMemory(PhysicalDevice physicalDevice, Device device, MemoryRequirements requirements)
    {
        const MemoryPropertyFlags Wanted = MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit;
        PhysicalDeviceMemoryProperties properties;
        _vk.GetPhysicalDeviceMemoryProperties(physicalDevice, &properties);
        var type = 0;
        while ((requirements.MemoryTypeBits >> type & 1) == 0 || (properties.MemoryTypes[type].PropertyFlags & Wanted) != Wanted) type++;
        var info = new MemoryAllocateInfo { SType = StructureType.MemoryAllocateInfo, AllocationSize = requirements.Size, MemoryTypeIndex = (uint)type };
        DeviceMemory memory;
        Assert.Equal(Result.Success, _vk.AllocateMemory(device, &info, null, &memory));
        return memory;
    }

    private void Submit(Device device, Action<CommandBuffer> record)
    {
        var poolInfo = new CommandPoolCreateInfo { SType = StructureType.CommandPoolCreateInfo };
        CommandPool pool;
        Assert.Equal(Result.Success, _vk.CreateCommandPool(device, &poolInfo, null, &pool));
        var allocateInfo = new CommandBufferAllocateInfo { SType = StructureType.CommandBufferAllocateInfo, CommandPool = pool, CommandBufferCount = 1 };
        CommandBuffer commands;
        Assert.Equal(Result.Success, _vk.AllocateCommandBuffers(device, &allocateInfo, &commands));
        var beginInfo = new CommandBufferBeginInfo { SType = StructureType.CommandBufferBeginInfo, Flags = CommandBufferUsageFlags.OneTimeSubmitBit };
        Assert.Equal(Result.Success, _vk.BeginCommandBuffer(commands, &beginInfo));
        record(commands);
        Assert.Equal(Result.Success, _vk.EndCommandBuffer(commands));

        Queue queue;
        _vk.GetDeviceQueue(device, 0, 0, &queue);
        var submitInfo = new SubmitInfo { SType = StructureType.SubmitInfo, CommandBufferCount = 1, PCommandBuffers = &commands };
        Assert.Equal(Result.Success, _vk.QueueSubmit(queue, 1, &submitInfo, default));
        Assert.Equal(Result.Success, _vk.QueueWaitIdle(queue));
        _vk.DestroyCommandPool(device, pool, null);
    }
}
