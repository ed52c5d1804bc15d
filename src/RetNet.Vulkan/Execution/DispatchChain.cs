using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Orders the dispatches of a step. Kernels that know chains (shaders/include/chain.glsl) follow each other without a barrier: their
/// inputs say by themselves whether they are there. All others have a barrier before them, and without chains every one has.
/// </summary>
/// <param name="enabled">Whether kernels wait by themselves.</param>
internal sealed class DispatchChain(bool enabled)
{
    /// <summary>What a float is before it is there: MISSING of chain.glsl.</summary>
    public const uint Missing = 0xFFEDCBA9;

    private bool _inside;

    /// <summary>Whether kernels wait by themselves.</summary>
    public bool Enabled => enabled;

    /// <summary>Puts a dispatch of a kernel that knows chains behind everything before it.</summary>
    public void Join(Recorder recorder)
    {
        if (!_inside)
            recorder.Barrier();
        _inside = enabled;
    }

    /// <summary>Puts a dispatch behind everything before it that others may follow in a chain.</summary>
    public void Begin(Recorder recorder)
    {
        recorder.Barrier();
        _inside = enabled;
    }

    /// <summary>Puts anything else behind everything before it.</summary>
    public void Leave(Recorder recorder)
    {
        recorder.Barrier();
        _inside = false;
    }
}
