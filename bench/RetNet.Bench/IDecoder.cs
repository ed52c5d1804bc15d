using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Sequences that decode together.</summary>
internal interface IDecoder : IDisposable
{
    /// <summary>
    /// Puts every sequence where <paramref name="depth"/> tokens have been taken in, then decodes greedily, each token from the one
    /// before, and reads all tokens back.
    /// </summary>
    /// <param name="depth">Tokens taken in before.</param>
    /// <param name="tokens">Tokens that each sequence decodes.</param>
    /// <param name="timings">Where given, kernels are timed into it.</param>
    /// <returns>Seconds of the decoding alone.</returns>
    double Decode(int depth, int tokens, KernelTimings? timings = null);

    /// <summary>Takes the memory for a number of sequences.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stateType">How states are kept.</param>
    /// <param name="sequences">How many.</param>
    /// <param name="randomState">Whether a depth is reached by a random state at its position; else by taking in random tokens.</param>
    /// <exception cref="GpuException">So many are not decoded together, or do not fit.</exception>
    static IDecoder Create(RetNetModel model, StateType stateType, int sequences, bool randomState)
    {
        if (sequences > RecurrentBatch.MostSequences)
            throw new GpuException($"at most {RecurrentBatch.MostSequences} sequences are decoded together");
        var plan = sequences == 1 ? RecurrentSession.Plan(model.Device, model.Config, stateType) : RecurrentBatch.Plan(model.Device, model.Config, sequences, stateType);
        plan.EnsureFits(model.Device, "Decoding", "Choose a smaller batch or another device.");
        return sequences == 1 ? new SingleDecoder(model, stateType, randomState) : new BatchDecoder(model, sequences, stateType, randomState);
    }
}
