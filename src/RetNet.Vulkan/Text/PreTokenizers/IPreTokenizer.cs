namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>Cuts text into the words that the model encodes one by one. Immutable.</summary>
internal interface IPreTokenizer
{
    /// <summary>The words of a piece of well-formed UTF-16 text that is not empty, in order; none of them is empty.</summary>
    /// <exception cref="TokenizerException">Matching a regular expression takes too long.</exception>
    IEnumerable<TextPiece> Split(TextPiece piece);
}
