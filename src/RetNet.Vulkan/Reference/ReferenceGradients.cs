namespace RetNet.Vulkan.Reference;

/// <summary>
/// The cross-entropy of a <see cref="ReferenceModel"/> and its gradient by every weight, in double precision: what a training step on
/// a device is compared with. The parallel and the chunkwise form go back through retention by formulas of their own; the rest they share.
/// </summary>
public sealed class ReferenceGradients
{
    private readonly ReferenceModel _model;
    private readonly RetentionForm _form;
    private readonly int _chunkLength;
    private Tape _tape = new();

    /// <summary>Begins with gradients of zero.</summary>
    /// <param name="model">The model; the gradients are by its <see cref="ReferenceModel.Weights"/> as they are at each call.</param>
    /// <param name="chunkLength">Tokens in a chunk, at least 1; null takes the parallel form.</param>
    /// <param name="torchscaleClamp">
    /// Divides by the clamped sum of scores, which torchscale detaches: a constant on the way back. In the parallel form only.
    /// </param>
    public ReferenceGradients(ReferenceModel model, int? chunkLength = null, bool torchscaleClamp = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (chunkLength is { } length)
            ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(chunkLength));
        if (torchscaleClamp && chunkLength is not null)
            throw new ArgumentException("only the parallel form has torchscale's clamp", nameof(torchscaleClamp));
        _model = model;
        _chunkLength = chunkLength ?? int.MaxValue;
        _form = torchscaleClamp ? RetentionForm.Clamped : chunkLength is null ? RetentionForm.Parallel : RetentionForm.Chunkwise;
    }

    /// <summary>The gradient by a weight, as <see cref="ReferenceModel.Weights"/> has it; that of a tied output is in the embedding's.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such weight.</exception>
    public double[] this[string name] => _tape.Gradient(_model.Weights[name]);

    /// <summary>Adds the gradient of <paramref name="scale"/> · Σ −ln p of one sequence.</summary>
    /// <param name="tokens">Token ids of a sequence that begins here.</param>
    /// <param name="targets">The token that was to come after each; a negative one does not count.</param>
    /// <param name="scale">Factor on the gradient; 1 / (number of targets) makes it that of their mean.</param>
    /// <returns>Σ −ln p over the targets that count, without the scale.</returns>
    public double Accumulate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale)
    {
        var loss = Forward(tokens, targets, scale, _tape);
        _tape.Backward();
        return loss;
    }

    /// <summary>Σ −ln p over the targets that count; the gradients stay as they are.</summary>
    /// <param name="tokens">Token ids of a sequence that begins here.</param>
    /// <param name="targets">The token that was to come after each; a negative one does not count.</param>
    public double Evaluate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets) => Forward(tokens, targets, 0, null);

    /// <summary>Makes all gradients zero.</summary>
    public void Clear() => _tape = new();

    private double Forward(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale, Tape? tape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(targets.Length, tokens.Length, nameof(targets));
        var state = new ReferenceState(_model.Config);
        var loss = 0.0;
        for (var start = 0; start < tokens.Length; start += Math.Min(_chunkLength, tokens.Length))
        {
            var length = Math.Min(_chunkLength, tokens.Length - start);
            var logits = _model.Forward(tokens.Slice(start, length), _form, state, tape);
            loss += CrossEntropy.Apply(logits, targets.Slice(start, length), scale, tape);
        }

        return loss;
    }
}
