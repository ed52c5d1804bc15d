using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What the device knows of sequences that it decodes together: tokens consumed, steps left, how to sample. A step moves these on
/// by itself; a sequence without steps left takes no part in it. The host sets an entry to begin or to end a sequence.
/// </summary>
internal sealed unsafe class SequenceTable : IDisposable
{
    /// <summary>Steps left of a sequence that only the host ends.</summary>
    public const uint Unlimited = uint.MaxValue;

    private readonly GpuDevice _device;
    private readonly GpuBuffer _table;
    private readonly GpuBuffer _host;
    private readonly int _sequences;

    /// <summary>Takes the memory; its contents are undefined until entries are set.</summary>
    public SequenceTable(GpuDevice device, int sequences)
    {
        (_device, _sequences) = (device, sequences);
        _table = device.Allocate("sequence table", BytesOf(sequences));
        _host = device.Allocate("sequence table, host", BytesOf(sequences), MemoryPlacement.Upload);
    }

    /// <summary>Tokens consumed, [sequences].</summary>
    public ulong Positions => _table.Address;

    /// <summary>Steps left, [sequences].</summary>
    public ulong StepsLeft => _table.Address + StepsOffset(0);

    /// <summary><see cref="SamplerEntry"/>, [sequences].</summary>
    public ulong Samplers => _table.Address + SamplerOffset(0);

    public static ulong BytesOf(int sequences) => SamplersAt(sequences) + (ulong)sequences * (ulong)sizeof(SamplerEntry);

    /// <summary>Sets an entry on the host; <see cref="Upload"/> takes it to the device.</summary>
    public void Set(int sequence, long position, uint stepsLeft, SamplerEntry sampler)
    {
        Write(PositionOffset(sequence), (uint)position);
        Write(StepsOffset(sequence), stepsLeft);
        Write(SamplerOffset(sequence), sampler);
    }

    /// <summary>Takes entries to the device, behind everything submitted, and waits; others are left as the device has them.</summary>
    public void Upload(params IEnumerable<int> sequences) => _device.Run("sequence table", recorder =>
    {
        foreach (var sequence in sequences)
        {
            Copy(recorder, PositionOffset(sequence), sizeof(uint));
            Copy(recorder, StepsOffset(sequence), sizeof(uint));
            Copy(recorder, SamplerOffset(sequence), (ulong)sizeof(SamplerEntry));
        }
    });

    public void Dispose()
    {
        _host.Dispose();
        _table.Dispose();
    }

    private static ulong SamplersAt(int sequences) => ((ulong)sequences * 2 * sizeof(uint) + 15) / 16 * 16;

    private static ulong PositionOffset(int sequence) => (ulong)sequence * sizeof(uint);

    private ulong StepsOffset(int sequence) => (ulong)(_sequences + sequence) * sizeof(uint);

    private ulong SamplerOffset(int sequence) => SamplersAt(_sequences) + (ulong)sequence * (ulong)sizeof(SamplerEntry);

    private void Copy(Recorder recorder, ulong offset, ulong bytes) => recorder.Copy(_host, offset, _table, offset, bytes);

    private void Write<T>(ulong offset, T value)
        where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.Write(_host.AsSpan<byte>()[(int)offset..], value);
}
