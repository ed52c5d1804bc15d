namespace RetNet.Vulkan.Training;

/// <summary>Where a run stands; together with weights and moments all that it needs to go on. Its place in the data follows from the step.</summary>
public sealed record TrainingState
{
    /// <summary>Steps taken.</summary>
    public int Step { get; init; }

    /// <summary>The factor on the loss for the next step.</summary>
    public required LossScale LossScale { get; init; }

    /// <summary>Seconds spent.</summary>
    public double Seconds { get; init; }

    /// <summary>Every step so far.</summary>
    public IReadOnlyList<TrainingRow> History { get; init; } = [];
}
