using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The arrays of a training step (docs/training-step.md has their sum): all f32, rows padded to a multiple of 64 with zeros that stay zero, a buffer for
/// each. Of those that a layer's gradients need there is one for each layer or, where its forward pass runs again, one for all.
/// </summary>
internal sealed class StepMemory : IDisposable
{
    private readonly Dictionary<(StepArray Array, int Copy), GpuBuffer> _buffers = [];
    private readonly Dictionary<StepArray, int> _strides;
    private readonly int _layers;
    private readonly bool _recompute;

    /// <summary>Takes the memory and fills it with zeros.</summary>
    /// <param name="device">The device.</param>
    /// <param name="shape">What is to be kept.</param>
    /// <param name="recompute">Whether layers' forward passes run again.</param>
    public StepMemory(GpuDevice device, StepShape shape, bool recompute)
    {
        (_layers, _recompute) = (shape.Config.Layers, recompute);
        _strides = shape.Widths.ToDictionary(width => width.Key, width => WeightStore.PaddedLength(width.Value));
        try
        {
            foreach (var (array, stride) in _strides)
                for (var copy = 0; copy < shape.Copies(array, recompute); copy++)
                    _buffers.Add((array, copy), device.Allocate($"{array} of training", (ulong)shape.Rows * (ulong)stride * sizeof(float)));
            device.Run("clear activations of training", recorder =>
            {
                foreach (var buffer in _buffers.Values)
                    recorder.Fill(buffer);
            });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>An array that there is once.</summary>
    public RowArray this[StepArray array] => At(array, 0);

    /// <summary>An array of a layer.</summary>
    public RowArray Of(StepArray array, int layer) => At(array, _recompute ? 0 : layer);

    /// <summary>The residual stream before sub-layer <paramref name="place"/>, two of which a layer has; after the last where it is their number.</summary>
    public RowArray Stream(int place) => At(StepArray.Stream, StreamCopy(place));

    /// <summary>Records a copy of the residual stream's next value from this one, or from the sub-layer's input.</summary>
    public void CopyStream(Recorder recorder, int place, bool fromInput)
    {
        var source = fromInput ? _buffers[(StepArray.Input, 0)] : _buffers[(StepArray.Stream, StreamCopy(place))];
        var destination = _buffers[(StepArray.Stream, StreamCopy(place + 1))];
        recorder.Copy(source, 0, destination, 0, destination.Bytes);
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers.Values)
            buffer.Dispose();
    }

    /// <summary>Recomputed: the layers' inputs and the output, and behind them the one place within a layer.</summary>
    private int StreamCopy(int place) => !_recompute ? place : place % 2 == 0 ? place / 2 : _layers + 1;

    private RowArray At(StepArray array, int copy) => _buffers.TryGetValue((array, copy), out var buffer) ? new(buffer.Address, _strides[array]) : default;
}
