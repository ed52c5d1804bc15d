namespace RetNet.Vulkan.Reference;

/// <summary>AdamW in double precision, step by step what torch.optim.AdamW computes (Loshchilov and Hutter, arXiv:1711.05101).</summary>
/// <remarks>
/// The weights are kept in double from step to step; the model's are these, rounded to float: what the next pass sees.
/// </remarks>
public sealed class ReferenceAdamW
{
    private readonly ReferenceModel _model;
    private readonly Dictionary<string, Tensor> _tensors;
    private int _steps;

    /// <summary>Begins with the model's weights and moments of zero.</summary>
    /// <param name="model">The model that steps change.</param>
    public ReferenceAdamW(ReferenceModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _tensors = model.Weights.ToDictionary(pair => pair.Key, pair => new Tensor(pair.Value), StringComparer.Ordinal);
    }

    /// <summary>Decay rate of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>What is added to the root of the second moment.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Which tensors decay; all of them by default.</summary>
    public Func<string, bool> Decays { get; init; } = _ => true;

    /// <summary>A tensor's weights after the steps so far.</summary>
    public ReadOnlySpan<double> Weights(string name) => _tensors[name].Weights;

    /// <summary>
    /// w ← (1 − η λ) w;  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w ← w − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
    /// </summary>
    /// <param name="gradients">g of every weight.</param>
    /// <param name="learningRate">η.</param>
    public void Step(ReferenceGradients gradients, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        _steps++;
        var (correction1, correction2) = (1 - Math.Pow(Beta1, _steps), Math.Sqrt(1 - Math.Pow(Beta2, _steps)));
        foreach (var (name, (weights, first, second)) in _tensors)
        {
            var (gradient, target) = (gradients[name], _model.Weights[name]);
            var kept = 1 - (Decays(name) ? learningRate * WeightDecay : 0);
            for (var i = 0; i < weights.Length; i++)
            {
                first[i] = Beta1 * first[i] + (1 - Beta1) * gradient[i];
                second[i] = Beta2 * second[i] + (1 - Beta2) * gradient[i] * gradient[i];
                weights[i] = kept * weights[i] - learningRate / correction1 * first[i] / (Math.Sqrt(second[i]) / correction2 + Eps);
                target[i] = (float)weights[i];
            }
        }
    }

    private sealed record Tensor(double[] Weights, double[] First, double[] Second)
    {
        public Tensor(float[] weights)
            : this(Array.ConvertAll(weights, weight => (double)weight), new double[weights.Length], new double[weights.Length])
        {
        }
    }
}
