using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Sequences that decode together.</summary>
internal interface IDecoder : IDisposable
{
    /// <summary>Puts every sequence where <paramref name="depth"/> tokens have been taken in.</summary>
    void StartAt(int depth);

    /// <summary>Decodes greedily, each token from the one before, and reads all tokens back.</summary>
    /// <param name="tokens">Tokens of each sequence that are timed; what it takes to get going is not.</param>
    /// <param name="timings">Where given, kernels are timed into it.</param>
    /// <returns>Seconds.</returns>
    double Decode(int tokens, KernelTimings? timings = null);

    /// <summary>Takes the memory for a number of sequences.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stateType">How states are kept.</param>
    /// <param name="sequences">How many.</param>
    /// <param name="randomState">Whether a depth is reached by a random state at its position; else by taking in random tokens.</param>
    /// <exception cref="GpuException">So many are not decoded together, or do not fit.</exception>
    static IDecoder Create(RetNetModel model, StateType stateType, int sequences, bool randomState)
    {
        if (sequences > 1)
            throw new GpuException("one sequence is decoded at a time");
        RecurrentSession.Plan(model.Device, model.Config, stateType).EnsureFits(model.Device, "Decoding", "Choose another device.");
        return new SingleDecoder(model, stateType, randomState);
    }
}
