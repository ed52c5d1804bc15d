namespace RetNet.Vulkan.Verification;

/// <summary>What some training steps gave.</summary>
public sealed record TrainingTrace
{
    /// <summary>Who took them.</summary>
    public required string Name { get; init; }

    /// <summary>The mean loss before each step.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>The gradient of every tensor at the first step.</summary>
    public required IReadOnlyDictionary<string, double[]> Gradients { get; init; }

    /// <summary>Every tensor after the last step; null where that is not known.</summary>
    public IReadOnlyDictionary<string, double[]>? Weights { get; init; }

    /// <summary>
    /// How much rounding of its gradient shows in an element's update: the root mean square of its tensor's gradient / |its own|, at the step where that is largest.
    /// AdamW divides a gradient by its size, so an error δ in g changes the update by about the learning rate · δ / |g|. Steps at which the gradient is exactly zero, as
    /// that of tokens that do not occur, do not count; zero where there are no others.
    /// </summary>
    public IReadOnlyDictionary<string, double[]> Sensitivities { get; init; } = new Dictionary<string, double[]>();

    /// <summary>Takes steps, each on all sequences, by the mean cross-entropy of the next token.</summary>
    /// <param name="subject">Who takes them.</param>
    /// <param name="names">The tensors.</param>
    /// <param name="sequences">Token ids, two at least in each sequence.</param>
    /// <param name="steps">How many.</param>
    /// <param name="cancel">Stops between steps.</param>
    public static TrainingTrace Of(ITrainingSubject subject, IReadOnlyCollection<string> names, IReadOnlyList<int[]> sequences, int steps, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(sequences);
        int[][] targets = [.. sequences.Select(ids => (int[])[.. ids.Skip(1), -1])];
        var count = sequences.Sum(ids => ids.Length - 1);
        var losses = new List<double>();
        var first = new Dictionary<string, double[]>();
        var sensitivities = new Dictionary<string, double[]>();
        for (var step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            subject.ZeroGradients();
            losses.Add(subject.Accumulate(sequences, targets, 1.0 / count) / count);
            foreach (var name in names)
            {
                var gradient = subject.Gradient(name);
                if (step == 0)
                {
                    first.Add(name, (double[])gradient.Clone());
                    sensitivities.Add(name, new double[gradient.Length]);
                }

                Raise(sensitivities[name], gradient);
            }

            subject.Update();
        }

        return new()
        {
            Name = subject.Name,
            Losses = losses,
            Gradients = first,
            Weights = names.ToDictionary(name => name, subject.Weight),
            Sensitivities = sensitivities,
        };
    }

    /// <summary>What somebody else recorded in f32.</summary>
    /// <param name="name">Who took the steps.</param>
    /// <param name="losses">The mean loss before each.</param>
    /// <param name="gradients">The gradients of the first.</param>
    /// <param name="weights">The weights after the last; null where they were not recorded.</param>
    public static TrainingTrace Of(string name, IEnumerable<float> losses, IReadOnlyDictionary<string, float[]> gradients, IReadOnlyDictionary<string, float[]>? weights)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        return new() { Name = name, Losses = [.. losses.Select(loss => (double)loss)], Gradients = Doubles(gradients), Weights = weights is null ? null : Doubles(weights) };
    }

    private static Dictionary<string, double[]> Doubles(IReadOnlyDictionary<string, float[]> tensors) =>
        tensors.ToDictionary(pair => pair.Key, pair => Array.ConvertAll(pair.Value, value => (double)value), StringComparer.Ordinal);

    private static void Raise(double[] sensitivities, double[] gradient)
    {
        var size = Math.Sqrt(gradient.Sum(value => value * value) / gradient.Length);
        for (var i = 0; i < gradient.Length; i++)
            if (gradient[i] != 0)
                sensitivities[i] = Math.Max(sensitivities[i], size / Math.Abs(gradient[i]));
    }
}
