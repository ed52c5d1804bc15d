namespace RetNet.Vulkan.Verification;

/// <summary>Something that takes training steps: the oracle, or a device. Tensors go by their canonical names, row-major.</summary>
public interface ITrainingSubject : IDisposable
{
    /// <summary>What it is, for people.</summary>
    string Name { get; }

    /// <summary>Sets all gradients to zero.</summary>
    void ZeroGradients();

    /// <summary>Adds the gradient of scale · Σ −ln p.</summary>
    /// <param name="tokens">[B, T].</param>
    /// <param name="targets">[B, T]; −1 does not count.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <returns>Σ −ln p over the targets that count.</returns>
    double Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<int[]> targets, double scale);

    /// <summary>Updates the weights by the gradients.</summary>
    void Update();

    /// <summary>The gradient of a tensor.</summary>
    double[] Gradient(string name);

    /// <summary>A tensor's values.</summary>
    double[] Weight(string name);
}
