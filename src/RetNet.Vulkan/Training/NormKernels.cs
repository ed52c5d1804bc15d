using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>What all norms of a model share: kernels, and memory between them.</summary>
internal sealed class NormKernels : IDisposable
{
    private readonly Tuning _tuning;
    private readonly GpuBuffer _zeros;
    private readonly GpuBuffer _moments;
    private readonly Dictionary<bool, Kernel<NormArguments>> _forward = [];
    private readonly Dictionary<(bool SubtractMean, bool Accumulate), Kernel<NormBackwardArguments>> _backward = [];

    /// <param name="device">The device.</param>
    /// <param name="tuning">Sizes.</param>
    /// <param name="vectors">Sums over rows.</param>
    /// <param name="rows">Rows at most.</param>
    /// <param name="columns">Columns at most.</param>
    /// <param name="eps">ε of all norms.</param>
    public NormKernels(GpuDevice device, Tuning tuning, VectorGradients vectors, int rows, int columns, float eps)
    {
        (Device, _tuning, Vectors, Eps) = (device, tuning, vectors, eps);
        _zeros = device.Allocate("zeros", (ulong)columns * sizeof(float));
        _moments = device.Allocate("moments of norms", (ulong)rows * 2 * sizeof(float));
        device.Run("clear zeros", recorder => recorder.Fill(_zeros));
    }

    /// <summary>The device.</summary>
    public GpuDevice Device { get; }

    /// <summary>Sums over rows.</summary>
    public VectorGradients Vectors { get; }

    /// <summary>ε of all norms.</summary>
    public float Eps { get; }

    /// <summary>Device address of the bias of norms that have none.</summary>
    public ulong Zeros => _zeros.Address;

    /// <summary>Device address of (μ, r) of a row.</summary>
    public ulong MomentsOf(int row) => _moments.Address + ((ulong)row * 2 * sizeof(float));

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    public Kernel<NormArguments> Forward(bool subtractMean)
    {
        if (!_forward.TryGetValue(subtractMean, out var kernel))
            _forward.Add(subtractMean, kernel = KernelFactory.Norm(Device, _tuning, subtractMean));
        return kernel;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    public Kernel<NormBackwardArguments> Backward(bool subtractMean, bool accumulate)
    {
        if (!_backward.TryGetValue((subtractMean, accumulate), out var kernel))
            _backward.Add((subtractMean, accumulate), kernel = LayerKernels.NormBackward(Device, _tuning, subtractMean, accumulate));
        return kernel;
    }

    public void Dispose()
    {
        foreach (var kernel in _forward.Values)
            kernel.Dispose();
        foreach (var kernel in _backward.Values)
            kernel.Dispose();
        _moments.Dispose();
        _zeros.Dispose();
    }
}
