using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>
/// Retention and its gradients. With s = γ^(n−m) the output o_n = Σ_{m≤n} s (q̂_n·k̂_m) v_m is differentiated by three retentions more:
/// <code>
/// dq̂_n = Σ_{m≤n} s (do_n·v_m) k̂_m      queries do, keys v, values k̂
/// dk̂_m = Σ_{n≥m} s (v_m·do_n) q̂_n      queries v, keys do, values q̂, backwards in time
/// dv_m = Σ_{n≥m} s (k̂_m·q̂_n) do_n      queries k̂, keys q̂, values do, backwards in time
/// </code>
/// all of them parallel or chunkwise. A key/value head's gradient is the sum over the heads that it serves.
/// </summary>
internal sealed class TrainingRetention : IDisposable
{
    private readonly GpuDevice _device;
    private readonly RetNetConfig _config;
    private readonly RoledRetention _output;
    private readonly RoledRetention _queryGradient;
    private readonly RoledRetention _keyGradient;
    private readonly RoledRetention _valueGradient;
    private readonly Kernel<HeadSumArguments>? _headSum;

    /// <param name="device">The device.</param>
    /// <param name="config">The model.</param>
    /// <param name="tuning">Sizes that suit the model's values (<see cref="Tuning.ForValues"/>).</param>
    /// <param name="length">Tokens of a sequence.</param>
    /// <param name="chunkLength">Tokens of a chunk.</param>
    /// <param name="sumScores">Whether the forward pass writes Σ|score|.</param>
    public TrainingRetention(GpuDevice device, RetNetConfig config, Tuning tuning, int length, int chunkLength, bool sumScores)
    {
        (_device, _config) = (device, config);
        var group = config.Heads / config.KeyValueHeads;
        var chunked = chunkLength < length;
        _output = Role(new(config.Heads, config.KeySize, config.ValueSize, 1, group, Reverse: false, chunked, sumScores));
        _queryGradient = Role(new(config.Heads, config.ValueSize, config.KeySize, 1, group, Reverse: false, chunked));
        _keyGradient = Role(new(config.Heads, config.ValueSize, config.KeySize, group, 1, Reverse: true, chunked));
        _valueGradient = Role(new(config.Heads, config.KeySize, config.ValueSize, group, 1, Reverse: true, chunked));
        _headSum = group > 1 ? LayerKernels.HeadSum(device, config, tuning) : null;

        RoledRetention Role(RetentionRole role) => new(device, tuning, role, chunkLength);
    }

    /// <summary>Floats of the states that chunks begin with, for any of the four.</summary>
    public static long StateFloats(RetNetConfig config, long chunks) => chunks * Math.Max(
        new RetentionRole(config.Heads, config.KeySize, config.ValueSize, 1, 1, false, true).StateFloats, new RetentionRole(config.Heads, config.ValueSize, config.KeySize, 1, 1, false, true).StateFloats);

    /// <summary>Floats of a row of gradients of keys or values before they are summed over heads; 0 where each head has its own.</summary>
    public static int HeadGradientWidth(RetNetConfig config) => config.KeyValueHeads == config.Heads ? 0 : config.Heads * Math.Max(config.KeySize, config.ValueSize);

    /// <summary>Records the forward pass, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="projections">q̂, k̂, v, each for all heads, one after the other.</param>
    /// <param name="output">o.</param>
    /// <param name="rows">What rows belong to.</param>
    public void RecordForward(Recorder recorder, RowArray projections, RowArray output, RetentionRows rows) =>
        _output.Record(recorder, projections, Keys(projections), Values(projections), output, rows);

    /// <summary>Records the gradients, and a barrier behind each.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="projections">q̂, k̂, v.</param>
    /// <param name="outputGradient">do.</param>
    /// <param name="gradients">dq̂, dk̂, dv, laid out as <paramref name="projections"/> are.</param>
    /// <param name="headGradients">Room for <see cref="HeadGradientWidth"/> a row.</param>
    /// <param name="rows">What rows belong to.</param>
    public void RecordBackward(Recorder recorder, RowArray projections, RowArray outputGradient, RowArray gradients, RowArray headGradients, RetentionRows rows)
    {
        var (q, k, v) = (projections, Keys(projections), Values(projections));
        _queryGradient.Record(recorder, outputGradient, v, k, gradients, rows);
        _keyGradient.Record(recorder, v, outputGradient, q, _headSum is null ? Keys(gradients) : headGradients, rows);
        SumHeads(recorder, headGradients, Keys(gradients), _config.KeySize, rows);
        _valueGradient.Record(recorder, k, q, outputGradient, _headSum is null ? Values(gradients) : headGradients, rows);
        SumHeads(recorder, headGradients, Values(gradients), _config.ValueSize, rows);
    }

    public void Dispose()
    {
        _headSum?.Dispose();
        _valueGradient.Dispose();
        _keyGradient.Dispose();
        _queryGradient.Dispose();
        _output.Dispose();
    }

    private RowArray Keys(RowArray projections) => projections.Columns(_config.QueryWidth);

    private RowArray Values(RowArray projections) => projections.Columns(_config.QueryWidth + _config.KeyWidth);

    private void SumHeads(Recorder recorder, RowArray headGradients, RowArray gradients, int size, RetentionRows rows)
    {
        if (_headSum is null)
            return;
        foreach (var (first, count) in RowBlocks.Of(_device, rows.Shape.Rows))
            recorder.Dispatch(_headSum, new HeadSumArguments
            {
                X = headGradients.Row(first),
                Y = gradients.Row(first),
                Columns = (uint)(_config.KeyValueHeads * size),
                Size = (uint)size,
                XStride = (uint)headGradients.Stride,
                YStride = (uint)gradients.Stride,
            }, count);
        recorder.Barrier();
    }
}
