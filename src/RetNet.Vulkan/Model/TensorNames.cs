namespace RetNet.Vulkan.Model;

/// <summary>Names of the canonical model's tensors in GGUF, without <c>.weight</c> or <c>.bias</c> (docs/format.md).</summary>
public static class TensorNames
{
    /// <summary>Token embedding, [d, V].</summary>
    public const string TokenEmbedding = "token_embd";

    /// <summary>Norm of the token embedding, [d].</summary>
    public const string TokenEmbeddingNorm = "token_embd_norm";

    /// <summary>Norm after the last layer, [d].</summary>
    public const string OutputNorm = "output_norm";

    /// <summary>Output projection, [d, V]; absent when the token embedding serves.</summary>
    public const string Output = "output";

    /// <summary>Norm of the retention sub-layer, [d].</summary>
    public static string AttentionNorm(int layer) => Layer(layer, "attn_norm");

    /// <summary>Query projection, [d, H · dk].</summary>
    public static string Query(int layer) => Layer(layer, "attn_q");

    /// <summary>Key projection, [d, key/value heads · dk].</summary>
    public static string Key(int layer) => Layer(layer, "attn_k");

    /// <summary>Value projection, [d, key/value heads · dv].</summary>
    public static string Value(int layer) => Layer(layer, "attn_v");

    /// <summary>Output gate projection, [d, H · dv].</summary>
    public static string Gate(int layer) => Layer(layer, "attn_gate");

    /// <summary>Head norm after retention, [dv], shared by all heads.</summary>
    public static string HeadNorm(int layer) => Layer(layer, "attn_sub_norm");

    /// <summary>Retention's output projection, [H · dv, d].</summary>
    public static string AttentionOutput(int layer) => Layer(layer, "attn_output");

    /// <summary>Norm of the feed-forward sub-layer, [d].</summary>
    public static string FeedForwardNorm(int layer) => Layer(layer, "ffn_norm");

    /// <summary>The activated branch of a gated feed-forward network, [d, F].</summary>
    public static string FeedForwardGate(int layer) => Layer(layer, "ffn_gate");

    /// <summary>The linear branch of a gated feed-forward network, the activated one of a plain one, [d, F].</summary>
    public static string FeedForwardUp(int layer) => Layer(layer, "ffn_up");

    /// <summary>Norm inside the feed-forward network, before its last projection, [F].</summary>
    public static string FeedForwardSubNorm(int layer) => Layer(layer, "ffn_sub_norm");

    /// <summary>The feed-forward network's last projection, [F, d].</summary>
    public static string FeedForwardDown(int layer) => Layer(layer, "ffn_down");

    /// <summary>The weight of <paramref name="name"/>.</summary>
    public static string Weight(string name) => name + ".weight";

    /// <summary>The bias of <paramref name="name"/>.</summary>
    public static string Bias(string name) => name + ".bias";

    private static string Layer(int layer, string name) => $"blk.{layer}.{name}";
}
