using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>Retention of many tokens, of chunks one after the other: between rotation and head norm.</summary>
internal interface IChunkRetention : IDisposable
{
    /// <summary>Records a layer of a pass, and a barrier behind it: projections to head outputs, and the states on; or, with <paramref name="statesOnly"/>, only these.</summary>
    void Record(Recorder recorder, int layer, PassShape shape, bool statesOnly);
}
