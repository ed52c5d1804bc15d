using Silk.NET.Vulkan;
using Silk.NET.Vulkan.Extensions.KHR;
using Semaphore = Silk.NET.Vulkan.Semaphore;

namespace RetNet.Vulkan.Gpu;

/// <summary>
/// An opened device: one compute queue, one pipeline layout for all kernels (push constants only), a pipeline
/// cache on disk and a timeline that counts submissions. Not thread-safe.
/// </summary>
public sealed unsafe class GpuDevice : IDisposable
{
    /// <summary>Bytes of arguments a kernel may have: Vulkan's guaranteed minimum of push constants.</summary>
    public const int ArgumentBytes = 128;

    private readonly Queue _queue;
    private Semaphore _timeline;
    private readonly PipelineCacheFile _cacheFile;
    private readonly Queue<(ulong Value, string Name)> _running = [];
    private ulong _submitted;

    /// <summary>Opens a device.</summary>
    /// <param name="gpu">The device to open; its instance must outlive this object.</param>
    /// <param name="cacheDirectory">Where compiled pipelines are kept between runs; null keeps none.</param>
    /// <param name="statistics">Whether kernels tell what the driver made of them; needs <see cref="DeviceCapabilities.PipelineStatistics"/>.</param>
    public GpuDevice(PhysicalGpu gpu, string? cacheDirectory = null, bool statistics = false)
    {
        Gpu = gpu;
        Vk = gpu.Instance.Vk;
        if (statistics && !gpu.Capabilities.PipelineStatistics)
            throw new GpuException($"{gpu.Name} tells nothing about its kernels: the driver has no {KhrPipelineExecutableProperties.ExtensionName}.");
        Handle = DeviceCreation.Create(gpu, statistics);
        if (statistics && Vk.TryGetDeviceExtension(gpu.Instance.Handle, Handle, out KhrPipelineExecutableProperties? executables))
            Executables = executables;
        MemoryTypes = new MemoryTypes(gpu);
        Queue queue;
        Vk.GetDeviceQueue(Handle, gpu.QueueFamily, 0, &queue);
        _queue = queue;
        CommandPool = CreateCommandPool();
        PipelineLayout = CreatePipelineLayout();
        _cacheFile = new PipelineCacheFile(this, cacheDirectory);
    }

    /// <summary>The physical device.</summary>
    public PhysicalGpu Gpu { get; }

    /// <summary>What the device can do.</summary>
    public DeviceCapabilities Capabilities => Gpu.Capabilities;

    /// <summary>Bytes of device memory that can still be allocated, as far as the driver tells.</summary>
    public ulong AvailableBytes => MemoryTypes.AvailableDeviceBytes(AllocatedBytes);

    /// <summary>Bytes of device memory that this process uses as the driver counts it, its own included; null where it does not tell.</summary>
    public ulong? UsedBytes => MemoryTypes.UsedDeviceBytes();

    /// <summary>Bytes of the buffers that are alive in the device's memory.</summary>
    public ulong AllocatedBytes { get; private set; }

    /// <summary>The most that <see cref="AllocatedBytes"/> has been since <see cref="ResetPeak"/>.</summary>
    public ulong PeakBytes { get; private set; }

    internal Vk Vk { get; }

    internal Device Handle { get; }

    internal MemoryTypes MemoryTypes { get; }

    internal CommandPool CommandPool { get; }

    internal PipelineLayout PipelineLayout { get; }

    /// <summary>Tells what the driver made of kernels; null where that was not asked for.</summary>
    internal KhrPipelineExecutableProperties? Executables { get; }

    internal PipelineCache PipelineCache => _cacheFile.Handle;

    /// <summary>Allocates a buffer; its contents are undefined.</summary>
    public GpuBuffer Allocate(string name, ulong bytes, MemoryPlacement placement = MemoryPlacement.Device)
    {
        if (bytes > Capabilities.MaxAllocationBytes)
            throw new GpuException($"'{name}' needs {MemoryPlan.Size(bytes)} in one piece; {Gpu.Name} allocates at most {MemoryPlan.Size(Capabilities.MaxAllocationBytes)}.");
        return new GpuBuffer(this, name, bytes, placement);
    }

    /// <summary>Records commands that can be submitted again and again, also while they still run.</summary>
    /// <param name="name">What is recorded, for errors.</param>
    /// <param name="record">Receives the recorder; it must not be used afterwards.</param>
    /// <param name="timings">Where given, every dispatch is timed into it.</param>
    public Recording Record(string name, Action<Recorder> record, KernelTimings? timings = null) => new(this, name, record, timings);

    /// <summary>Submits recordings in order, after everything submitted before.</summary>
    /// <returns>The timeline's value once they have run; see <see cref="Wait"/>.</returns>
    public ulong Submit(Recording recording, int times = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        var buffers = stackalloc CommandBuffer[times];
        new Span<CommandBuffer>(buffers, times).Fill(recording.Handle);
        // Not before: drivers that only compile have none.
        if (_timeline.Handle == 0)
            _timeline = CreateTimeline();
        var value = _submitted + 1;
        var timeline = _timeline;
        var timelineInfo = new TimelineSemaphoreSubmitInfo
        {
            SType = StructureType.TimelineSemaphoreSubmitInfo,
            SignalSemaphoreValueCount = 1,
            PSignalSemaphoreValues = &value,
        };
        var info = new SubmitInfo
        {
            SType = StructureType.SubmitInfo,
            PNext = &timelineInfo,
            CommandBufferCount = (uint)times,
            PCommandBuffers = buffers,
            SignalSemaphoreCount = 1,
            PSignalSemaphores = &timeline,
        };
        Vk.QueueSubmit(_queue, 1, &info, default).ThrowOnError("vkQueueSubmit", recording.Name);
        _running.Enqueue((value, recording.Name));
        return _submitted = value;
    }

    /// <summary>Waits until the submission that returned <paramref name="value"/> has run; its writes to host memory are then visible.</summary>
    /// <exception cref="VulkanCallException">The device was lost; the message names what was running.</exception>
    public void Wait(ulong value)
    {
        var timeline = _timeline;
        var info = new SemaphoreWaitInfo
        {
            SType = StructureType.SemaphoreWaitInfo,
            SemaphoreCount = 1,
            PSemaphores = &timeline,
            PValues = &value,
        };
        Vk.WaitSemaphores(Handle, &info, ulong.MaxValue)
            .ThrowOnError("vkWaitSemaphores", _running.TryPeek(out var oldest) ? $"while running '{oldest.Name}'" : null);
        while (_running.TryPeek(out var done) && done.Value <= value)
            _running.Dequeue();
    }

    /// <summary>Records, submits and waits: for set-up and tests, not for the token loop.</summary>
    public void Run(string name, Action<Recorder> record)
    {
        using var recording = Record(name, record);
        Wait(Submit(recording));
    }

    /// <summary>Copies from a buffer to the host and waits for it.</summary>
    public void Read<T>(GpuBuffer source, ulong offset, Span<T> destination)
        where T : unmanaged
    {
        var bytes = (ulong)destination.Length * (ulong)sizeof(T);
        using var staging = Allocate("readback", bytes, MemoryPlacement.Readback);
        Run("readback", recorder => recorder.Copy(source, offset, staging, 0, bytes));
        staging.AsSpan<T>()[..destination.Length].CopyTo(destination);
    }

    /// <summary>Copies from the host into a buffer and waits for it.</summary>
    public void Write<T>(GpuBuffer destination, ulong offset, ReadOnlySpan<T> source)
        where T : unmanaged
    {
        var bytes = (ulong)source.Length * (ulong)sizeof(T);
        using var staging = Allocate("upload", bytes, MemoryPlacement.Upload);
        source.CopyTo(staging.AsSpan<T>());
        Run("upload", recorder => recorder.Copy(staging, 0, destination, offset, bytes));
    }

    /// <summary>Waits for all work, saves the pipeline cache and closes the device.</summary>
    public void Dispose()
    {
        if (_submitted > 0)
            Vk.DeviceWaitIdle(Handle);
        _cacheFile.Dispose();
        Vk.DestroyPipelineLayout(Handle, PipelineLayout, null);
        Vk.DestroyCommandPool(Handle, CommandPool, null);
        Vk.DestroySemaphore(Handle, _timeline, null);
        Vk.DestroyDevice(Handle, null);
    }

    /// <summary>Begins a new <see cref="PeakBytes"/>.</summary>
    public void ResetPeak() => PeakBytes = AllocatedBytes;

    /// <summary>Counts a buffer of the device's memory.</summary>
    internal void Allocated(ulong bytes) => PeakBytes = Math.Max(PeakBytes, AllocatedBytes += bytes);

    /// <summary>Counts it no longer.</summary>
    internal void Freed(ulong bytes) => AllocatedBytes -= bytes;

    /// <summary>Names a Vulkan object for the validation layer; does nothing without it.</summary>
    internal void SetName(ObjectType type, ulong handle, string name) => Gpu.Instance.Messenger?.Name(Handle, type, handle, name);

    private Semaphore CreateTimeline()
    {
        var type = new SemaphoreTypeCreateInfo { SType = StructureType.SemaphoreTypeCreateInfo, SemaphoreType = SemaphoreType.Timeline };
        var info = new SemaphoreCreateInfo { SType = StructureType.SemaphoreCreateInfo, PNext = &type };
        Semaphore semaphore;
        Vk.CreateSemaphore(Handle, &info, null, &semaphore).ThrowOnError("vkCreateSemaphore");
        return semaphore;
    }

    private CommandPool CreateCommandPool()
    {
        var info = new CommandPoolCreateInfo { SType = StructureType.CommandPoolCreateInfo, QueueFamilyIndex = Gpu.QueueFamily };
        CommandPool pool;
        Vk.CreateCommandPool(Handle, &info, null, &pool).ThrowOnError("vkCreateCommandPool");
        return pool;
    }

    private PipelineLayout CreatePipelineLayout()
    {
        var range = new PushConstantRange { StageFlags = ShaderStageFlags.ComputeBit, Offset = 0, Size = ArgumentBytes };
        var info = new PipelineLayoutCreateInfo
        {
            SType = StructureType.PipelineLayoutCreateInfo,
            PushConstantRangeCount = 1,
            PPushConstantRanges = &range,
        };
        PipelineLayout layout;
        Vk.CreatePipelineLayout(Handle, &info, null, &layout).ThrowOnError("vkCreatePipelineLayout");
        return layout;
    }
}
