namespace RetNet.Vulkan.Execution;

/// <summary>Why a generated text ended.</summary>
public enum StopReason
{
    /// <summary>It has as many tokens as were asked for.</summary>
    Length,

    /// <summary>The model ended it.</summary>
    EndOfText,

    /// <summary>A stop string was met.</summary>
    StopString,

    /// <summary>It was cancelled, or its reader stopped reading.</summary>
    Cancelled,
}
