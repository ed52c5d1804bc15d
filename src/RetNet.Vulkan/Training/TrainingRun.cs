namespace RetNet.Vulkan.Training;

/// <summary>What stays the same all through a run, for its checkpoints.</summary>
/// <param name="Settings">Names and values of all that decides what a step does, for people and for those who go on with the run.</param>
/// <param name="Metadata">What model files hold besides the model's settings: the tokenizer.</param>
public sealed record TrainingRun(IReadOnlyDictionary<string, string> Settings, IReadOnlyList<KeyValuePair<string, object>> Metadata);
