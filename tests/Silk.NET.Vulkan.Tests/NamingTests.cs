using System.Globalization;

namespace Silk.NET.Vulkan.Tests;

/// <summary>Numbers from the Vulkan specification under the names that Silk.NET gives them. That this compiles is half of the test.</summary>
public unsafe class NamingTests
{
    [Theory]
    [InlineData(0, Result.Success)]
    [InlineData(2, Result.Timeout)]
    [InlineData(-4, Result.ErrorDeviceLost)]
    [InlineData(-1000069000, Result.ErrorOutOfPoolMemory)]
    [InlineData(4, PhysicalDeviceType.Cpu)]
    [InlineData(1, PipelineBindPoint.Compute)]
    [InlineData(2, QueryType.Timestamp)]
    [InlineData(13, DriverId.MesaLlvmpipe)]
    [InlineData(4, DriverId.NvidiaProprietary)]
    [InlineData(3, ScopeKHR.SubgroupKhr)]
    [InlineData(3, ComponentTypeKHR.Sint8Khr)]
    [InlineData(4, ValidationFeatureEnableEXT.SynchronizationValidationExt)]
    [InlineData(1, PipelineCacheHeaderVersion.One)]
    [InlineData(23, ObjectType.DescriptorSet)]
    public void EnumerationsHaveTheValuesOfTheSpecification(int expected, Enum actual) =>
        Assert.Equal(expected, Convert.ToInt32(actual, CultureInfo.InvariantCulture));

    [Theory]
    [InlineData(0x1, MemoryPropertyFlags.DeviceLocalBit)]
    [InlineData(0x8, MemoryPropertyFlags.HostCachedBit)]
    [InlineData(0x00020000, BufferUsageFlags.ShaderDeviceAddressBit)]
    [InlineData(0x20, ShaderStageFlags.ComputeBit)]
    [InlineData(0x7FFFFFFF, ShaderStageFlags.All)]
    [InlineData(0x800, PipelineStageFlags.ComputeShaderBit)]
    [InlineData(0x2, MemoryAllocateFlags.AddressBit)]
    [InlineData(0x1, QueryResultFlags.Result64Bit)]
    [InlineData(0x2, QueryResultFlags.ResultWaitBit)]
    [InlineData(0x40, SampleCountFlags.Count64Bit)]
    [InlineData(0x4, SubgroupFeatureFlags.ArithmeticBit)]
    [InlineData(0x1000, DebugUtilsMessageSeverityFlagsEXT.ErrorBitExt)]
    [InlineData(0x800, PipelineStageFlags2.ComputeShaderBit)]
    [InlineData(0x400000000, AccessFlags2.ShaderStorageWriteBit)]
    [InlineData(0x40, PipelineCreateFlags.CaptureStatisticsBitKhr)]
    public void FlagsHaveTheValuesOfTheSpecification(long expected, Enum actual) =>
        Assert.Equal(expected, Convert.ToInt64(actual, CultureInfo.InvariantCulture));

    [Theory]
    [InlineData(0, StructureType.ApplicationInfo)]
    [InlineData(51, StructureType.PhysicalDeviceVulkan12Features)]
    [InlineData(1000071004, StructureType.PhysicalDeviceIDProperties)]
    [InlineData(1000083000, StructureType.PhysicalDevice16BitStorageFeatures)]
    [InlineData(1000128004, StructureType.DebugUtilsMessengerCreateInfoExt)]
    [InlineData(1000212000, StructureType.PhysicalDevicePciBusInfoPropertiesExt)]
    [InlineData(1000225001, StructureType.PipelineShaderStageRequiredSubgroupSizeCreateInfo)]
    [InlineData(1000506001, StructureType.CooperativeMatrixPropertiesKhr)]
    [InlineData(1000593000, StructureType.PhysicalDeviceCooperativeMatrix2FeaturesNV)]
    public void StructureTypesHaveTheValuesOfTheRegistry(int expected, StructureType actual) => Assert.Equal(expected, (int)actual);

    [Fact]
    public void MembersFollowSilkNet()
    {
        var properties = new PhysicalDeviceVulkan11Properties { DeviceLuidvalid = true };
        Assert.True(properties.DeviceLuidvalid);
        var info = new InstanceCreateInfo { SType = StructureType.InstanceCreateInfo, PNext = null, PpEnabledLayerNames = null };
        Assert.True(info.PpEnabledLayerNames == null);
        PhysicalDeviceProperties device = default;
        device.PipelineCacheUuid[Vk.UuidSize - 1] = 7;
        Assert.Equal(0u, device.VendorID);
    }

    [Fact]
    public void ConstantsAndVersionsAreThoseOfTheSpecification()
    {
        Assert.Equal(uint.MaxValue, Vk.QueueFamilyIgnored);
        Assert.Equal(uint.MaxValue - 1, Vk.QueueFamilyExternal);
        Assert.Equal(ulong.MaxValue, Vk.WholeSize);
        Assert.Equal(uint.MaxValue, Vk.SubpassExternal);
        Assert.Equal(0x0040_2000u, (uint)Vk.Version12);
        Assert.Equal((1u << 22) | (3u << 12) | 239u, (uint)Vk.MakeVersion(1, 3, 239));
        Assert.Equal(239u, ((Core.Version32)0x0040_30EFu).Patch);
    }

    [Fact]
    public void ArraysOfStructuresAreIndexedInPlace()
    {
        PhysicalDeviceMemoryProperties memory = default;
        memory.MemoryTypes[31].HeapIndex = 5;
        Assert.Equal(5u, memory.MemoryTypes.Element31.HeapIndex);
        Assert.Throws<ArgumentOutOfRangeException>(() => default(PhysicalDeviceMemoryProperties).MemoryTypes[32]);
        Assert.Throws<ArgumentOutOfRangeException>(() => default(PhysicalDeviceMemoryProperties).MemoryTypes[-1]);
    }
}
