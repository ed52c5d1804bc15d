namespace RetNet.Vulkan.Model;

/// <summary>Activation of the feed-forward network's activated branch.</summary>
public enum Activation
{
    /// <summary>x · σ(x), also called swish.</summary>
    Silu,

    /// <summary>x · Φ(x) with the exact error function.</summary>
    Gelu,

    /// <summary>max(x, 0).</summary>
    Relu,
}

/// <summary>Normalisation of the residual stream.</summary>
public enum NormType
{
    /// <summary>x / √(mean(x²) + ε) · w.</summary>
    Rms,

    /// <summary>(x − mean(x)) / √(var(x) + ε) · w + b.</summary>
    Layer,
}

/// <summary>
/// A canonical RetNet: what the runtime computes, whichever framework trained the weights. The converter
/// writes it to GGUF under architecture <c>retnet</c> (docs/format.md); dialects end there.
/// </summary>
/// <remarks>
/// Rotary pairs are interleaved, (2i, 2i+1), in every head of the query and key projections, and keys are
/// scaled by <c>KeySize^−½</c> at run time. Whether the output is tied, the head norm is affine, or the
/// embedding is normalised follows from the tensors that are present.
/// </remarks>
public sealed record RetNetConfig
{
    /// <summary>The architecture name in GGUF and the prefix of its keys.</summary>
    public const string Architecture = "retnet";

    /// <summary>Model name, for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>Number of layers, L.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of the residual stream, d.</summary>
    public required int Width { get; init; }

    /// <summary>Retention heads, H.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads; head h reads key/value head h / (Heads / KeyValueHeads).</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Key size of one head, dk; even.</summary>
    public required int KeySize { get; init; }

    /// <summary>Value size of one head, dv.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Inner width of the feed-forward network, F.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Vocabulary size, V.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Training length in tokens; informative only, a RetNet runs at any length.</summary>
    public int ContextLength { get; init; }

    /// <summary>ε of the residual-stream norms.</summary>
    public required float NormEps { get; init; }

    /// <summary>γ of each head, in (0, 1]; length <see cref="Heads"/>.</summary>
    public required IReadOnlyList<float> Decay { get; init; }

    /// <summary>θ of each rotary pair in radians a token; length <see cref="KeySize"/> / 2.</summary>
    public required IReadOnlyList<float> Angles { get; init; }

    /// <summary>The norm of each head after retention.</summary>
    public NormType RetentionNormType { get; init; } = NormType.Rms;

    /// <summary>ε of the per-head norm after retention.</summary>
    public required float RetentionEps { get; init; }

    /// <summary>
    /// True: the head norm of position n uses ε·S_n with S_n = Σ_{t≤n} γᵗ (torchscale's recurrent form divides
    /// the state by √S_n); false: plain ε (flash-linear-attention).
    /// </summary>
    public required bool RetentionEpsScaled { get; init; }

    /// <summary>Activation of the feed-forward network.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>True: down(act(gate x) · up x); false: down(act(up x)).</summary>
    public bool GatedFeedForward { get; init; } = true;

    /// <summary>Normalisation of the residual stream.</summary>
    public NormType NormType { get; init; } = NormType.Rms;

    /// <summary>True: norm after each residual addition and none at the end; false: norm before each sub-layer.</summary>
    public bool PostNorm { get; init; }

    /// <summary>α of x ← α·x + f(x) (DeepNorm); 1 otherwise.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>Factor on the token embedding.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Whether retention's output is gated by silu(W_g x).</summary>
    public bool OutputGate { get; init; } = true;

    /// <summary>Width of all queries together, H · dk.</summary>
    public int QueryWidth => Heads * KeySize;

    /// <summary>Width of all keys together, key/value heads · dk.</summary>
    public int KeyWidth => KeyValueHeads * KeySize;

    /// <summary>Width of all values together, key/value heads · dv.</summary>
    public int ValueWidth => KeyValueHeads * ValueSize;

    /// <summary>Width of retention's output and of its gate, H · dv.</summary>
    public int OutputWidth => Heads * ValueSize;
}
