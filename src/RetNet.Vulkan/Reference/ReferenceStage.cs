namespace RetNet.Vulkan.Reference;

/// <summary>Intermediate values that <see cref="ReferenceModel.Observer"/> sees; T is the number of tokens in the pass.</summary>
public enum ReferenceStage
{
    /// <summary>Scaled and normalised token embedding, [T, d]; layer −1.</summary>
    Embedding,

    /// <summary>Queries as projected, not yet rotated, [T, H·dk].</summary>
    Query,

    /// <summary>Keys as projected, neither rotated nor scaled, [T, key/value heads · dk].</summary>
    Key,

    /// <summary>Values, [T, key/value heads · dv].</summary>
    Value,

    /// <summary>Retention before the head norm, [T, H·dv].</summary>
    Retention,

    /// <summary>Retention after the head norm and the gate, [T, H·dv].</summary>
    GatedRetention,

    /// <summary>Output projection of retention, before the residual addition, [T, d].</summary>
    AttentionOutput,

    /// <summary>What goes into the FFN's down projection, [T, F].</summary>
    FeedForwardHidden,

    /// <summary>The residual stream after the layer, [T, d].</summary>
    LayerOutput,

    /// <summary>Logits, [T, V]; layer −1.</summary>
    Logits,
}
