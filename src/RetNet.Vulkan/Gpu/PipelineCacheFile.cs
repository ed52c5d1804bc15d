using System.Buffers.Binary;
using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>
/// The driver's compiled pipelines, kept on disk between runs: one file a device and driver version. Safe to delete;
/// a file of another driver, or a damaged one, is ignored and written anew.
/// </summary>
internal sealed unsafe class PipelineCacheFile : IDisposable
{
    private const int HashBytes = 32;
    private const int HeaderBytes = 32; // VkPipelineCacheHeaderVersionOne: length, version, vendor, device, UUID
    private readonly GpuDevice _device;
    private readonly string? _path;
    private readonly int _loadedBytes;

    public PipelineCacheFile(GpuDevice device, string? directory)
    {
        _device = device;
        PhysicalDeviceProperties properties;
        device.Vk.GetPhysicalDeviceProperties(device.Gpu.Handle, &properties);
        _path = directory is null ? null : Path.Combine(directory, $"{FileName(properties)}.pipelines");
        var data = _path is null ? [] : Load(_path, properties);
        _loadedBytes = data.Length;
        fixed (byte* first = data)
        {
            var info = new PipelineCacheCreateInfo
            {
                SType = StructureType.PipelineCacheCreateInfo,
                InitialDataSize = (nuint)data.Length,
                PInitialData = first,
            };
            PipelineCache cache;
            device.Vk.CreatePipelineCache(device.Handle, &info, null, &cache).ThrowOnError("vkCreatePipelineCache");
            Handle = cache;
        }
    }

    public PipelineCache Handle { get; }

    public void Dispose()
    {
        Save();
        _device.Vk.DestroyPipelineCache(_device.Handle, Handle, null);
    }

    private static string FileName(in PhysicalDeviceProperties properties)
    {
        fixed (byte* uuid = properties.PipelineCacheUuid)
            return $"{properties.VendorID:x4}-{properties.DeviceID:x4}-{properties.DriverVersion:x8}-{Convert.ToHexStringLower(new ReadOnlySpan<byte>(uuid, 16))}";
    }

    /// <summary>The file's data after its SHA-256, or nothing when it is absent, damaged or of another driver.</summary>
    private static byte[] Load(string path, in PhysicalDeviceProperties properties)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        if (file.Length < HashBytes + HeaderBytes)
            return [];
        var data = file.AsSpan(HashBytes);
        fixed (byte* uuid = properties.PipelineCacheUuid)
        {
            var sameDriver = BinaryPrimitives.ReadUInt32LittleEndian(data[8..]) == properties.VendorID
                && BinaryPrimitives.ReadUInt32LittleEndian(data[12..]) == properties.DeviceID
                && data.Slice(16, 16).SequenceEqual(new ReadOnlySpan<byte>(uuid, 16));
            var intact = System.Security.Cryptography.SHA256.HashData(data).AsSpan().SequenceEqual(file.AsSpan(0, HashBytes));
            return sameDriver && intact ? data.ToArray() : [];
        }
    }

    /// <summary>
    /// Writes the cache when it grew, by more than a header: some drivers return what they were given behind a new one. A
    /// directory that cannot be written only costs the next start some time.
    /// </summary>
    private void Save()
    {
        nuint size = 0;
        var known = _loadedBytes == 0 ? 0 : _loadedBytes + HeaderBytes;
        if (_path is null || _device.Vk.GetPipelineCacheData(_device.Handle, Handle, &size, null) != Result.Success || (int)size <= known)
            return;
        var data = new byte[size];
        fixed (byte* first = data)
            if (_device.Vk.GetPipelineCacheData(_device.Handle, Handle, &size, first) != Result.Success)
                return;
        var part = $"{_path}.{Environment.ProcessId}.part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using (var stream = File.Create(part))
            {
                stream.Write(System.Security.Cryptography.SHA256.HashData(data));
                stream.Write(data);
            }

            File.Move(part, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(part);
        }
    }
}
