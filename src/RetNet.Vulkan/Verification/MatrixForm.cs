using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>Heads that retention on matrix units is checked with: whole matrices, but not whole tiles of them.</summary>
/// <param name="KeySize">dk.</param>
/// <param name="ValueSize">dv.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Group">Those that share keys and values.</param>
internal readonly record struct MatrixForm(int KeySize, int ValueSize, int Heads, int Group)
{
    public static IReadOnlyList<MatrixForm> All { get; } = [new(48, 80, 3, 1), new(80, 144, 2, 2)];

    /// <summary>What kernels are built for.</summary>
    public RetNetConfig Config => new()
    {
        Name = "check",
        Layers = 1,
        Width = 64,
        Heads = Heads,
        KeyValueHeads = Heads / Group,
        KeySize = KeySize,
        ValueSize = ValueSize,
        FeedForwardSize = 64,
        VocabularySize = 64,
        NormEps = 1e-6f,
        Decay = CheckDecay.Of(Heads),
        Angles = new float[KeySize / 2],
        RetentionEps = 1e-6f,
        RetentionEpsScaled = false,
    };

    /// <inheritdoc/>
    public override string ToString() => $"dk {KeySize}, dv {ValueSize}, {Heads} heads, group {Group}";

    /// <summary>headScale of shaders/include/retention_matrix.glsl: about √(1 − γ), a power of two.</summary>
    public static double Scale(float decay) => Math.ScaleB(1, (int)Math.Floor(Math.ILogB(Math.Max(1 - decay, MathF.ScaleB(1, -24))) / 2.0));
}
