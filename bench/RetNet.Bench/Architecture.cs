namespace RetNet.Bench;

/// <summary>What a model has between its projections.</summary>
public enum Architecture
{
    /// <summary>Retention with a state of one size.</summary>
    RetNet,

    /// <summary>Attention with a cache of keys and values that grows with the context.</summary>
    Transformer,
}
