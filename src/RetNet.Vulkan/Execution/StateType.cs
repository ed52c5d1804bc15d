namespace RetNet.Vulkan.Execution;

/// <summary>How a device keeps retention states.</summary>
public enum StateType
{
    /// <summary>S in f32.</summary>
    F32,

    /// <summary>S/√S_n in f16, S_n = Σ γᵗ for t = 0..n: half the memory and the traffic, two to three decimal digits.</summary>
    F16,
}
