namespace RetNet.Converter.Tests;

/// <summary>A test of the whole trained checkpoint, 36 MB and not in the repository: it runs where RETNET_TALES_18M names its folder.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class Tales18mTheoryAttribute : TheoryAttribute
{
    public Tales18mTheoryAttribute()
    {
        if (Folder is null)
            Skip = "RETNET_TALES_18M names no folder of the tales-18m checkpoint";
    }

    public static string? Folder { get; } = Environment.GetEnvironmentVariable("RETNET_TALES_18M") is { Length: > 0 } folder ? folder : null;
}
