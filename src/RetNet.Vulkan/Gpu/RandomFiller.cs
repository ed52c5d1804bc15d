namespace RetNet.Vulkan.Gpu;

/// <summary>Fills device memory with random words on the device: nothing large is made on the host or copied from it.</summary>
internal sealed class RandomFiller : IDisposable
{
    private const uint Threads = 256;
    private readonly GpuDevice _device;
    private readonly Kernel<RandomWordsArguments> _kernel;

    public RandomFiller(GpuDevice device) => (_device, _kernel) = (device, new(device, "random_words", Threads));

    /// <summary>Fills an array without padding.</summary>
    /// <param name="address">Its first word.</param>
    /// <param name="bytes">Its length, whole words and fewer than 2³⁴ bytes.</param>
    /// <param name="format">What the words look like.</param>
    /// <param name="seed">The same seed gives the same words.</param>
    public void Fill(ulong address, ulong bytes, RandomFormat format, uint seed) => Fill(new()
    {
        Words = address,
        Count = checked((uint)(bytes / sizeof(uint))),
        RowParts = uint.MaxValue,
        RowHalves = uint.MaxValue,
        PartWords = 1,
        Interleave = 1,
        Mask = format.Mask,
        Pattern = format.Pattern,
        Seed = seed,
    });

    /// <summary>Fills what the arguments say.</summary>
    public void Fill(RandomWordsArguments arguments)
    {
        if (arguments.Count > 0)
            _device.Run("random words", recorder => recorder.Dispatch(_kernel, arguments, Math.Min((arguments.Count - 1) / Threads + 1, _device.Capabilities.WorkgroupCount)));
    }

    public void Dispose() => _kernel.Dispose();
}
