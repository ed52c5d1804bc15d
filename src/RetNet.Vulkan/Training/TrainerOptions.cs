namespace RetNet.Vulkan.Training;

/// <summary>How a <see cref="Trainer"/> goes about it.</summary>
public sealed record TrainerOptions
{
    /// <summary>The learning rate, and how many steps there are.</summary>
    public required LearningRateSchedule Schedule { get; init; }

    /// <summary>Windows of a step; a multiple of the sequences that the model takes at once.</summary>
    public required int Batch { get; init; }

    /// <summary>What the order of the windows follows from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Steps between two validations; one more is made before the first step and one after the last.</summary>
    public int ValidateEvery { get; init; } = 100;

    /// <summary>Validation windows that are read, the first ones; 0 reads all.</summary>
    public int ValidationWindows { get; init; }

    /// <summary>Steps between two checkpoints; 0 counts none. One more is made at the end.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Time between two checkpoints; zero counts none.</summary>
    public TimeSpan CheckpointAfter { get; init; }

    /// <summary>Checkpoints that are kept, the newest ones.</summary>
    public int KeptCheckpoints { get; init; } = 3;
}
