using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>What a <see cref="Trainer"/> trains: weights with their gradients and their optimiser.</summary>
public interface ITrainable : IDisposable
{
    /// <summary>What the model computes.</summary>
    RetNetConfig Config { get; }

    /// <summary>Sequences that it takes at once, B.</summary>
    int Sequences { get; }

    /// <summary>The model's weights as they are now, in the order in which a file holds them.</summary>
    IReadOnlyList<TensorShape> Weights { get; }

    /// <summary>What its training needs besides the weights to go on: the optimiser's moments, and adapters that are not part of the weights.</summary>
    IReadOnlyList<TensorShape> State { get; }

    /// <summary>Updates made so far: the t of Adam's bias correction.</summary>
    long Updates { get; set; }

    /// <summary>Sets all gradients to zero.</summary>
    void ZeroGradients();

    /// <summary>Adds the gradients of scale · Σ −ln p(target) to what there is.</summary>
    /// <param name="tokens">[B, T].</param>
    /// <param name="targets">[B, T]; <see cref="PackedTokens.Ignored"/> does not count.</param>
    /// <param name="scale">The factor on the loss.</param>
    /// <returns>Σ −ln p(target) over the targets that count, in nats.</returns>
    double Accumulate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale);

    /// <summary>Σ −ln p(target) over the targets that count, in nats, and no gradients.</summary>
    double Evaluate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets);

    /// <summary>Clips the gradients and updates the weights, unless a gradient is not finite.</summary>
    /// <param name="learningRate">The rate of this step.</param>
    /// <param name="lossScale">What the gradients are divided by first.</param>
    /// <returns>The norm of all gradients together, divided by <paramref name="lossScale"/>, before clipping; not finite where nothing was updated.</returns>
    double Update(double learningRate, double lossScale);

    /// <summary>The values of one of <see cref="Weights"/>.</summary>
    float[] ReadWeight(string name);

    /// <summary>The values of one of <see cref="State"/>.</summary>
    float[] ReadState(string name);

    /// <summary>Sets the values of one of <see cref="State"/>.</summary>
    void WriteState(string name, ReadOnlySpan<float> values);
}
