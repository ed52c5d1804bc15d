using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Training;

/// <summary>Half a layer, f of y = α · x + f(u): retention or the feed-forward network. What it records ends with a barrier.</summary>
internal interface ISublayer
{
    /// <summary>Records what is kept for the gradients.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="input">u.</param>
    void RecordKept(Recorder recorder, RowArray input);

    /// <summary>Records y ← keep · y + f(u) from what is kept.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="output">y.</param>
    /// <param name="keep">Factor on what y held.</param>
    void RecordOutput(Recorder recorder, RowArray output, float keep);

    /// <summary>Records the gradients of the parameters and du ← keep · du + f'(u) dy; what was kept is lost.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="input">u.</param>
    /// <param name="outputGradient">dy.</param>
    /// <param name="inputGradient">du, which may be dy.</param>
    /// <param name="keep">Factor on what du held; 0 where it may hold anything.</param>
    void RecordBackward(Recorder recorder, RowArray input, RowArray outputGradient, RowArray inputGradient, float keep);
}
