using System.Runtime.InteropServices;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// Device memory for what a kernel reads and writes, all in one buffer: array, sentinel words, array, sentinel words and so on.
/// Whatever a kernel changes outside its outputs is seen.
/// </summary>
internal sealed class CheckArena : IDisposable
{
    private const int Capacity = 2 << 20;
    private const int Alignment = 256;
    private const int SentinelBytes = 64;
    private static readonly byte[] Sentinel = [0xEF, 0xBE, 0xAD, 0xDE];

    private readonly GpuDevice _device;
    private readonly GpuBuffer _buffer;
    private readonly GpuBuffer _staging;
    private readonly byte[] _before = new byte[Capacity];
    private readonly List<(string Name, int Start, int Bytes, bool Output)> _arrays = [];
    private int _used;

    public CheckArena(GpuDevice device)
    {
        _device = device;
        _buffer = device.Allocate("check", Capacity);
        _staging = device.Allocate("check, host", Capacity, MemoryPlacement.Readback);
    }

    /// <summary>Forgets all arrays.</summary>
    public void Clear()
    {
        _arrays.Clear();
        _used = 0;
    }

    /// <summary>Places an array that kernels read.</summary>
    /// <returns>Its device address.</returns>
    public ulong Add<T>(string name, ReadOnlySpan<T> values)
        where T : unmanaged => Place(name, MemoryMarshal.AsBytes(values), output: false);

    /// <summary>Places an array that kernels write.</summary>
    /// <param name="name">What it is, for errors.</param>
    /// <param name="before">What it holds before.</param>
    /// <returns>Its device address.</returns>
    public ulong AddOutput<T>(string name, ReadOnlySpan<T> before)
        where T : unmanaged => Place(name, MemoryMarshal.AsBytes(before), output: true);

    /// <summary>Uploads the arrays, runs commands and reads the arrays back.</summary>
    /// <returns>Where something was written outside the outputs, in words; null where nothing was.</returns>
    public string? Run(string name, Action<Recorder> record)
    {
        _before.AsSpan(0, _used).CopyTo(_staging.AsSpan<byte>());
        _device.Run(name, recorder =>
        {
            recorder.Copy(_staging, 0, _buffer, 0, (ulong)_used);
            recorder.Barrier();
            record(recorder);
            recorder.Barrier();
            recorder.Copy(_buffer, 0, _staging, 0, (ulong)_used);
        });
        return Overrun();
    }

    /// <summary>An output, or a part of it, after <see cref="Run"/>.</summary>
    public T[] Read<T>(ulong address, int count)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(_staging.AsSpan<byte>()[(int)(address - _buffer.Address)..])[..count].ToArray();

    public void Dispose()
    {
        _staging.Dispose();
        _buffer.Dispose();
    }

    private ulong Place(string name, ReadOnlySpan<byte> values, bool output)
    {
        var start = _used;
        var end = (start + values.Length + SentinelBytes + Alignment - 1) / Alignment * Alignment;
        if (end > Capacity)
            throw new InvalidOperationException($"'{name}' does not fit a check's memory of {Capacity} bytes");
        values.CopyTo(_before.AsSpan(start));
        for (var i = start + values.Length; i < end; i++)
            _before[i] = Sentinel[i % Sentinel.Length];
        _arrays.Add((name, start, values.Length, output));
        _used = end;
        return _buffer.Address + (ulong)start;
    }

    private string? Overrun()
    {
        var after = _staging.AsSpan<byte>();
        for (var i = 0; i < _arrays.Count; i++)
        {
            var (name, start, bytes, output) = _arrays[i];
            var (from, to) = (output ? start + bytes : start, i + 1 < _arrays.Count ? _arrays[i + 1].Start : _used);
            var same = _before.AsSpan(from, to - from).CommonPrefixLength(after[from..to]);
            if (same < to - from)
                return from + same < start + bytes ? $"wrote to '{name}', which it only reads" : $"wrote behind the end of '{name}', {from + same - start - bytes} bytes";
        }

        return null;
    }
}
