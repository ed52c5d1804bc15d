namespace RetNet.Converter;

/// <summary>What a framework of torchscale's family takes for settings that a checkpoint does not give.</summary>
/// <param name="Width"><c>decoder_embed_dim</c>.</param>
/// <param name="ValueWidth"><c>decoder_value_embed_dim</c>.</param>
/// <param name="FeedForwardSize"><c>decoder_ffn_embed_dim</c>.</param>
/// <param name="Heads"><c>decoder_retention_heads</c>.</param>
/// <param name="Layers"><c>decoder_layers</c>.</param>
/// <param name="Activation"><c>activation_fn</c>.</param>
/// <param name="PlainEmbedding"><c>no_scale_embedding</c>.</param>
/// <param name="EmbeddingNorm"><c>layernorm_embedding</c>.</param>
/// <param name="Eps"><c>layernorm_eps</c>.</param>
internal sealed record TorchscaleDefaults(
    int Width = 768,
    int ValueWidth = 1280,
    int FeedForwardSize = 1280,
    int Heads = 3,
    int Layers = 12,
    string Activation = "gelu",
    bool PlainEmbedding = true,
    bool EmbeddingNorm = false,
    double Eps = 1e-6);
