namespace RetNet.Vulkan.Execution;

/// <summary>A sequence of a <see cref="RecurrentBatch"/>.</summary>
public sealed class BatchedSequence
{
    internal BatchedSequence(SequenceRequest request, int slot) => (Request, Slot, Left) = (request, slot, request.MaxTokens);

    /// <summary>What was asked for.</summary>
    public SequenceRequest Request { get; }

    /// <summary>Its place in <see cref="RecurrentBatch.State"/>; another sequence's once this one has ended.</summary>
    public int Slot { get; }

    /// <summary>Whether it has ended: by a token of <see cref="SequenceRequest.Ends"/>, as long as asked for, or because it was stopped.</summary>
    public bool HasEnded { get; internal set; }

    /// <summary>Tokens that it may still have; what has been read counts.</summary>
    internal long Left { get; private set; }

    /// <summary>Steps that were submitted for it.</summary>
    internal long Submitted { get; set; }

    /// <summary>Takes the token read next.</summary>
    internal void Append(int token)
    {
        Left--;
        HasEnded = Left == 0 || Request.Ends.Contains(token);
    }
}
