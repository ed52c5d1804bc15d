using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

public class ReferenceGradientsTests
{
    private const double FormsAgree = 1e-12;
    private const double DifferencesAgree = 1e-8;

    // What the rounding of a loss of about 40, divided by a step of 2⁻¹⁴, leaves.
    private const double DifferencesRounding = 1e-9;
    private const int ElementsOfTensor = 4;

    private static readonly Dictionary<string, RandomModel> Models = new()
    {
        ["odd sizes, tied"] = Model(RandomModel.Shape(2, 15, 3, 6, 20, 23, 31)),
        ["everything optional"] = Model(RandomModel.Shape(2, 14, 2, 8, 11, 19, 29), _ => true),
        ["one head, one pair"] = Model(RandomModel.Shape(1, 5, 1, 2, 3, 7, 11)),
        ["grouped keys and values"] = Model(RandomModel.Shape(2, 12, 6, 4, 5, 16, 17) with { KeyValueHeads = 2 }, name => name.EndsWith("attn_sub_norm.weight", StringComparison.Ordinal)),
        ["no decay"] = Model(RandomModel.Shape(2, 8, 2, 4, 6, 9, 13) with { Decay = [1, 0.5f], Angles = [1, 0.01f] }),
        ["eps that decides, plain"] = Model(RandomModel.Shape(2, 8, 2, 4, 6, 9, 13) with { RetentionEpsScaled = false, RetentionEps = 0.1f, NormEps = 0.2f }),
        ["eps that decides, scaled"] = Model(RandomModel.Shape(2, 8, 2, 4, 6, 9, 13) with { RetentionEps = 0.1f, RetentionNormType = NormType.Layer }),
        ["post-norm"] = Model(RandomModel.Shape(3, 10, 2, 4, 7, 12, 13) with { PostNorm = true, ResidualScale = 1.5f, Activation = Activation.Gelu }),
        ["layer norms, plain feed-forward, biases"] = Model(
            RandomModel.Shape(2, 9, 3, 2, 5, 11, 13) with { NormType = NormType.Layer, RetentionNormType = NormType.Layer, GatedFeedForward = false, Activation = Activation.Gelu }, _ => true),
        ["no gate, relu, scaled embedding"] = Model(RandomModel.Shape(2, 9, 3, 2, 5, 11, 13) with { OutputGate = false, Activation = Activation.Relu, EmbeddingScale = 3 }),
    };

    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradients_are_central_differences_of_the_loss(string name)
    {
        var model = Models[name];
        var gradients = new ReferenceGradients(model.Reference);
        Accumulate(gradients, model);
        var random = new Random(7);
        foreach (var (tensor, weights) in model.Reference.Weights)
        {
            var gradient = gradients[tensor];
            var largest = gradient.Max(Math.Abs);
            Assert.True(largest > 0, $"the gradient of {tensor} is zero");
            for (var i = 0; i < ElementsOfTensor; i++)
            {
                var at = random.Next(weights.Length);
                var direction = new int[weights.Length];
                direction[at] = 1;
                Require(tensor, Difference(gradients, model, weights, direction), gradient[at], largest);
            }

            int[] everywhere = [.. weights.Select(_ => random.Next(2) * 2 - 1)];
            Require(tensor, Difference(gradients, model, weights, everywhere), gradient.Select((g, i) => g * everywhere[i]).Sum(), gradient.Sum(Math.Abs));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_chunk_length_gives_the_gradients_of_the_parallel_form(string name)
    {
        var model = Models[name];
        var parallel = new ReferenceGradients(model.Reference);
        var loss = Accumulate(parallel, model);
        foreach (var chunkLength in (int[])[1, 2, 5, 11, 12, 100])
        {
            var chunkwise = new ReferenceGradients(model.Reference, chunkLength);
            Assert.Equal(loss, Accumulate(chunkwise, model), loss * FormsAgree);
            RequireSame(model, parallel, chunkwise);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_recurrent_form_goes_back_alike(string name)
    {
        var model = Models[name];
        var (config, ids) = (model.Config, model.Tokens(12, seed: 1));
        var (tape, form) = (new Tape(), RetentionForm.Recurrent);
        var state = new ReferenceState(config);
        foreach (var (start, length) in new[] { (0, 5), (5, 1), (6, 6) })
            CrossEntropy.Apply(model.Reference.Forward(ids.AsSpan(start, length), form, state, tape), ids.AsSpan(start, length), 1, tape);
        tape.Backward();

        var parallel = new ReferenceGradients(model.Reference);
        parallel.Accumulate(ids, ids, 1);
        foreach (var (tensor, weights) in model.Reference.Weights)
            Tolerance.Near(parallel[tensor], tape.Gradient(weights), FormsAgree);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Without_eps_the_clamp_changes_nothing(string name)
    {
        var given = Models[name];
        var reference = new ReferenceModel(given.Config with { RetentionEps = 0 }, given.Tensor);
        var (ids, plain, clamped) = (given.Tokens(9, seed: 2), new ReferenceGradients(reference), new ReferenceGradients(reference, torchscaleClamp: true));
        Assert.Equal(plain.Accumulate(ids, ids, 0.3), clamped.Accumulate(ids, ids, 0.3), 1e-10);
        foreach (var tensor in reference.Weights.Keys)
            Tolerance.Near(plain[tensor], clamped[tensor], 1e-10);
    }

    [Fact]
    public void Gradients_add_up_scale_and_clear()
    {
        var model = Models["odd sizes, tied"];
        var (ids, once, thrice) = (model.Tokens(7, seed: 3), new ReferenceGradients(model.Reference), new ReferenceGradients(model.Reference));
        var loss = once.Accumulate(ids, ids, 3);
        for (var i = 0; i < 3; i++)
            Assert.Equal(loss, thrice.Accumulate(ids, ids, 1));
        Assert.Equal(loss, thrice.Evaluate(ids, ids));
        RequireSame(model, once, thrice);
        once.Clear();
        Assert.All(model.Reference.Weights.Keys, name => Assert.All(once[name], value => Assert.Equal(0, value)));
    }

    [Fact]
    public void Targets_that_do_not_count_have_no_part_in_the_loss()
    {
        var model = Models["odd sizes, tied"];
        var (ids, gradients) = (model.Tokens(5, seed: 4), new ReferenceGradients(model.Reference));
        Assert.Equal(0, gradients.Accumulate(ids, [-1, -1, -1, -1, -1], 1));
        Assert.All(model.Reference.Weights.Keys, name => Assert.All(gradients[name], value => Assert.Equal(0, value)));
        var each = Enumerable.Range(0, 5).Sum(n => gradients.Evaluate(ids, [.. Enumerable.Range(0, 5).Select(i => i == n ? ids[i] : -1)]));
        Assert.Equal(gradients.Evaluate(ids, ids), each, 1e-12);
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        var model = Models["odd sizes, tied"];
        var gradients = new ReferenceGradients(model.Reference);
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.Evaluate([31], [0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.Evaluate([0], [31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.Evaluate([0, 1], [0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReferenceGradients(model.Reference, 0));
        Assert.Throws<ArgumentException>(() => new ReferenceGradients(model.Reference, 8, torchscaleClamp: true));
    }

    /// <summary>Two sequences of different lengths, some of whose targets do not count.</summary>
    private static double Accumulate(ReferenceGradients gradients, RandomModel model) =>
        Sum(model, (tokens, targets, scale) => gradients.Accumulate(tokens, targets, scale));

    private static double Sum(RandomModel model, Func<int[], int[], double, double> loss)
    {
        var (first, second) = (model.Tokens(12, seed: 1), model.Tokens(5, seed: 2));
        return loss(first, [.. first.Skip(1), -1], 0.7) + loss(second, [second[3], -1, second[0], second[0], second[2]], 0.7);
    }

    /// <summary>The derivative of 0.7 · loss along a direction by central differences of two steps, which together have an error of the fourth order.</summary>
    private static double Difference(ReferenceGradients gradients, RandomModel model, float[] weights, int[] direction)
    {
        const double step = 1.0 / (1 << 13);
        var kept = (float[])weights.Clone();
        var (wide, narrow) = (Central(step), Central(step / 2));
        return (4 * narrow - wide) / 3;

        double Central(double h) => (At(h) - At(-h)) / (2 * h);

        double At(double h)
        {
            for (var i = 0; i < weights.Length; i++)
                weights[i] = (float)(kept[i] + direction[i] * h);
            var loss = 0.7 * Sum(model, (tokens, targets, _) => gradients.Evaluate(tokens, targets));
            kept.CopyTo(weights, 0);
            return loss;
        }
    }

    private static void Require(string tensor, double expected, double actual, double scale) =>
        Assert.True(Math.Abs(expected - actual) <= DifferencesAgree * scale + DifferencesRounding, $"{tensor}: {actual:g17}, by differences {expected:g17}; off by {Math.Abs(expected - actual) / scale:g3}");

    private static void RequireSame(RandomModel model, ReferenceGradients expected, ReferenceGradients actual)
    {
        foreach (var tensor in model.Reference.Weights.Keys)
            Tolerance.Near(expected[tensor], actual[tensor], FormsAgree);
    }

    /// <summary>
    /// Weights are multiples of 2⁻¹², so that steps of 2⁻¹³ and 2⁻¹⁴ are exact in float. ε is large: where a norm's input is small
    /// against a small one, the loss bends too sharply for differences.
    /// </summary>
    private static RandomModel Model(RetNetConfig config, Func<string, bool>? optional = null)
    {
        var smooth = config with { NormEps = Math.Max(config.NormEps, 0.02f), RetentionEps = Math.Max(config.RetentionEps, 0.02f) };
        var model = new RandomModel(smooth, seed: 9, optional ?? (_ => false));
        foreach (var weights in model.Reference.Weights.Values)
        {
            for (var i = 0; i < weights.Length; i++)
                weights[i] = MathF.Round(weights[i] * (1 << 12)) / (1 << 12);
        }

        return model;
    }
}
