namespace RetNet.Vulkan.Training;

/// <summary>What a <see cref="ParameterSet"/> keeps of a parameter, each in f32.</summary>
public enum ParameterKind
{
    /// <summary>Its value.</summary>
    Weight,

    /// <summary>The loss' derivative by it, added up over micro-batches.</summary>
    Gradient,

    /// <summary>AdamW's running mean of gradients; SGD's momentum.</summary>
    FirstMoment,

    /// <summary>AdamW's running mean of squared gradients.</summary>
    SecondMoment,
}
