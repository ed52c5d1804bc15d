namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>Cuts what the one before has cut; without any, the text is one word.</summary>
internal sealed class SequencePreTokenizer(IPreTokenizer[] preTokenizers) : IPreTokenizer
{
    /// <inheritdoc/>
    public IEnumerable<TextPiece> Split(TextPiece piece) =>
        preTokenizers.Aggregate<IPreTokenizer, IEnumerable<TextPiece>>([piece], (pieces, next) => pieces.SelectMany(next.Split));
}
