using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

public class ReferenceAdamWTests
{
    [Fact]
    public void The_first_step_goes_by_the_sign_of_the_gradient()
    {
        // With both moments corrected, m̂ = g and v̂ = g²: the step is η g / (|g| + ε), whatever β₁ and β₂ are.
        var model = new RandomModel(RandomModel.Shape(1, 6, 2, 2, 3, 5, 7), seed: 3, _ => true);
        var before = model.Reference.Weights.ToDictionary(pair => pair.Key, pair => (float[])pair.Value.Clone());
        var (ids, gradients) = (model.Tokens(6, seed: 1), new ReferenceGradients(model.Reference));
        var loss = gradients.Accumulate(ids, ids, 1);
        var optimiser = new ReferenceAdamW(model.Reference) { Beta1 = 0.7, Beta2 = 0.97, Eps = 1e-3, WeightDecay = 0.25, Decays = name => name.EndsWith("attn_q.weight", StringComparison.Ordinal) };
        optimiser.Step(gradients, 0.01);

        foreach (var (name, weights) in before)
        {
            var kept = name == "blk.0.attn_q.weight" ? 1 - 0.01 * 0.25 : 1;
            var expected = weights.Zip(gradients[name], (w, g) => kept * w - 0.01 * g / (Math.Abs(g) + 1e-3)).ToArray();
            Tolerance.Near(expected, optimiser.Weights(name).ToArray(), 1e-14);
            Assert.Equal(Array.ConvertAll(optimiser.Weights(name).ToArray(), w => (float)w), model.Reference.Weights[name]);
        }

        Assert.True(gradients.Evaluate(ids, ids) < loss);
    }

    [Fact]
    public void Moments_decay_and_are_corrected()
    {
        // A gradient that changes sign, written out for three steps.
        var model = new RandomModel(RandomModel.Shape(1, 6, 2, 2, 3, 5, 7), seed: 4, _ => true);
        var (ids, gradients) = (model.Tokens(6, seed: 1), new ReferenceGradients(model.Reference));
        const string name = "output_norm.weight";
        double weight = model.Reference.Weights[name][2], first = 0, second = 0;
        var optimiser = new ReferenceAdamW(model.Reference) { Beta1 = 0.9, Beta2 = 0.95, WeightDecay = 0.1 };
        for (var step = 1; step <= 3; step++)
        {
            gradients.Clear();
            gradients.Accumulate(ids, ids, step == 2 ? -3 : 1);
            var gradient = gradients[name][2];
            optimiser.Step(gradients, 0.05);

            weight -= 0.05 * 0.1 * weight;
            (first, second) = (0.9 * first + 0.1 * gradient, 0.95 * second + 0.05 * gradient * gradient);
            weight -= 0.05 * (first / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(second / (1 - Math.Pow(0.95, step))) + 1e-8);
            Assert.Equal(weight, optimiser.Weights(name)[2], 1e-14);
        }
    }
}
