using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

public class ReferenceModelTests
{
    private const int Length = 37;
    private const double Tolerance = 1e-12;

    private static readonly Dictionary<string, RandomModel> Models = new()
    {
        ["odd sizes"] = Model(RandomModel.Shape(2, 15, 3, 6, 20, 23, 31)),
        ["value size 54, everything optional"] = Model(RandomModel.Shape(2, 14, 2, 8, 54, 19, 29), _ => true),
        ["one head, one pair"] = Model(RandomModel.Shape(1, 5, 1, 2, 3, 7, 11)),
        ["grouped keys and values"] = Model(RandomModel.Shape(2, 12, 6, 4, 5, 16, 17) with { KeyValueHeads = 2 }),
        ["no decay"] = Model(RandomModel.Shape(2, 8, 2, 4, 6, 9, 13) with { Decay = [1, 0.5f], Angles = [1, 0.01f] }),
        ["plain eps"] = Model(RandomModel.Shape(2, 8, 2, 4, 6, 9, 13) with { RetentionEpsScaled = false, RetentionEps = 0.1f }),
        ["post-norm"] = Model(RandomModel.Shape(3, 10, 2, 4, 7, 12, 13) with { PostNorm = true, ResidualScale = 1.5f, Activation = Activation.Gelu }),
        ["layer norm, plain feed-forward, biases"] = Model(
            RandomModel.Shape(2, 9, 3, 2, 5, 11, 13) with { NormType = NormType.Layer, GatedFeedForward = false, Activation = Activation.Gelu }, _ => true),
        ["no gate"] = Model(RandomModel.Shape(2, 9, 3, 2, 5, 11, 13) with { OutputGate = false, Activation = Activation.Relu, EmbeddingScale = 3 }),
    };

    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_three_modes_agree(string name)
    {
        var model = Models[name];
        var tokens = model.Tokens(Length, seed: 1);
        var parallel = model.Reference.Parallel(tokens);
        Assert.Equal(Length * model.Config.VocabularySize, parallel.Length);

        var recurrentState = new ReferenceState(model.Config);
        AssertClose(parallel, model.Reference.Recurrent(tokens, recurrentState));
        foreach (var chunk in (int[])[1, 2, 7, Length - 1, Length, Length + 1, 1000])
        {
            var state = new ReferenceState(model.Config);
            AssertClose(parallel, model.Reference.Chunkwise(tokens, chunk, state));
            AssertSame(recurrentState, state, model.Config);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sequence_may_be_split_anywhere(string name)
    {
        var model = Models[name];
        var tokens = model.Tokens(Length, seed: 2);
        var whole = model.Reference.Parallel(tokens);
        for (var split = 0; split <= Length; split += 5)
        {
            var state = new ReferenceState(model.Config);
            var first = model.Reference.Chunkwise(tokens.AsSpan(0, split), 4, state);
            Assert.Equal(split, state.Position);

            var copy = state.Clone();
            var second = model.Reference.Recurrent(tokens.AsSpan(split), state);
            AssertClose(whole, [.. first, .. second]);
            AssertClose(second, model.Reference.Chunkwise(tokens.AsSpan(split), 6, copy));
            AssertSame(state, copy, model.Config);
        }
    }

    [Fact]
    public void Retention_is_the_sum_of_the_definition()
    {
        // One layer, one head, no norms in the way: the observer's retention against Σ γ^(n−m) (q̂_n·k̂_m) v_m with complex pairs.
        var model = Models["one head, one pair"];
        var seen = new Dictionary<ReferenceStage, double[]>();
        var reference = new ReferenceModel(model.Config, model.Tensor) { Observer = (stage, _, values) => seen[stage] = values.ToArray() };
        reference.Parallel(model.Tokens(Length, seed: 3));

        var (q, k, v) = (seen[ReferenceStage.Query], seen[ReferenceStage.Key], seen[ReferenceStage.Value]);
        var expected = new double[Length * 3];
        for (var n = 0; n < Length; n++)
        {
            for (var m = 0; m <= n; m++)
            {
                // (R_n q)·(R_m k) = Re(q conj(k) e^(i(n−m)θ)) for q, k as complex numbers; θ = 1.
                var (re, im) = (q[2 * n] * k[2 * m] + q[2 * n + 1] * k[2 * m + 1], q[2 * n + 1] * k[2 * m] - q[2 * n] * k[2 * m + 1]);
                var score = Math.Pow(1 - 1 / 32.0, n - m) * (re * Math.Cos(n - m) - im * Math.Sin(n - m)) / Math.Sqrt(2);
                for (var i = 0; i < 3; i++)
                    expected[3 * n + i] += score * v[3 * m + i];
            }
        }

        AssertClose(expected, seen[ReferenceStage.Retention]);
    }

    [Fact]
    public void The_head_norm_uses_eps_times_the_decay_sum()
    {
        // ε·S_n against ε at the same retention: the two gated outputs differ by exactly the ratio of their RMS denominators.
        var scaled = Model(RandomModel.Shape(1, 6, 2, 2, 4, 5, 7) with { OutputGate = false, RetentionEps = 0.3f, Decay = [0.5f, 1] });
        var plain = Model(scaled.Config with { RetentionEpsScaled = false });
        var tokens = scaled.Tokens(9, seed: 4);
        var (retention, scaledOutput, plainOutput) = (Gated(scaled, tokens, ReferenceStage.Retention),
            Gated(scaled, tokens, ReferenceStage.GatedRetention), Gated(plain, tokens, ReferenceStage.GatedRetention));

        for (var row = 0; row < 18; row++)
        {
            var (n, head) = (row / 2, row % 2);
            var meanSquare = retention.AsSpan(row * 4, 4).ToArray().Average(x => x * x);
            var sum = head == 0 ? 2 - Math.Pow(0.5, n) : n + 1;
            for (var i = row * 4; i < row * 4 + 4; i++)
            {
                Assert.Equal(retention[i] / Math.Sqrt(meanSquare + 0.3f * sum), scaledOutput[i], 1e-14);
                Assert.Equal(retention[i] / Math.Sqrt(meanSquare + 0.3f), plainOutput[i], 1e-14);
            }
        }
    }

    [Fact]
    public void The_head_norm_may_subtract_the_mean()
    {
        var model = Model(RandomModel.Shape(1, 6, 2, 2, 4, 5, 7) with { OutputGate = false, RetentionEps = 0.3f, Decay = [0.5f, 1], RetentionNormType = NormType.Layer });
        var tokens = model.Tokens(9, seed: 4);
        var (retention, output) = (Gated(model, tokens, ReferenceStage.Retention), Gated(model, tokens, ReferenceStage.GatedRetention));

        for (var row = 0; row < 18; row++)
        {
            var head = retention[(row * 4)..(row * 4 + 4)];
            var variance = head.Average(x => (x - head.Average()) * (x - head.Average()));
            var sum = row % 2 == 0 ? 2 - Math.Pow(0.5, row / 2) : row / 2 + 1;
            for (var i = 0; i < 4; i++)
                Assert.Equal((head[i] - head.Average()) / Math.Sqrt(variance + 0.3f * sum), output[row * 4 + i], 1e-14);
        }
    }

    [Fact]
    public void Positions_beyond_a_million_keep_their_precision()
    {
        // Retention depends on relative positions only: with a zero state and plain ε, where it begins must not matter.
        var model = Models["plain eps"];
        var tokens = model.Tokens(Length, seed: 5);
        var late = new ReferenceState(model.Config) { Position = 123_456_789 };
        AssertClose(model.Reference.Parallel(tokens), model.Reference.Chunkwise(tokens, 8, late), 1e-9);
        Assert.Equal(123_456_789 + Length, late.Position);
    }

    [Fact]
    public void The_observer_sees_every_stage_in_order_and_shape()
    {
        var model = Models["grouped keys and values"];
        var seen = new List<(ReferenceStage Stage, int Layer, int Width)>();
        var reference = new ReferenceModel(model.Config, model.Tensor) { Observer = (stage, layer, values) => seen.Add((stage, layer, values.Length / Length)) };
        reference.Parallel(model.Tokens(Length, seed: 6));

        List<(ReferenceStage, int, int)> expected = [(ReferenceStage.Embedding, -1, 12)];
        for (var layer = 0; layer < 2; layer++)
        {
            expected.AddRange(
            [
                (ReferenceStage.Query, layer, 24), (ReferenceStage.Key, layer, 8), (ReferenceStage.Value, layer, 10),
                (ReferenceStage.Retention, layer, 30), (ReferenceStage.GatedRetention, layer, 30), (ReferenceStage.AttentionOutput, layer, 12),
                (ReferenceStage.FeedForwardHidden, layer, 16), (ReferenceStage.LayerOutput, layer, 12),
            ]);
        }

        expected.Add((ReferenceStage.Logits, -1, 17));
        Assert.Equal(expected, seen);
    }

    [Fact]
    public void Grouped_heads_read_the_key_and_value_of_their_group()
    {
        // The same model with the keys and values of each group written out for all its heads.
        var grouped = Models["grouped keys and values"];
        var full = new ReferenceModel(grouped.Config with { KeyValueHeads = 6 }, name => name switch
        {
            _ when name.Contains("attn_k.", StringComparison.Ordinal) => Repeat(grouped.Tensor(name), 4 * 12),
            _ when name.Contains("attn_v.", StringComparison.Ordinal) => Repeat(grouped.Tensor(name), 5 * 12),
            _ => grouped.Tensor(name),
        });
        var tokens = grouped.Tokens(Length, seed: 7);
        AssertClose(full.Parallel(tokens), grouped.Reference.Parallel(tokens));

        static float[]? Repeat(float[]? heads, int size) => heads is null ? null : [.. heads.Chunk(size).SelectMany(head => Enumerable.Repeat(head, 3)).SelectMany(x => x)];
    }

    [Fact]
    public void An_empty_sequence_has_no_logits()
    {
        Assert.Empty(Models["odd sizes"].Reference.Parallel([]));
        Assert.Empty(Models["odd sizes"].Reference.Recurrent([]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(31)]
    [InlineData(int.MaxValue)]
    public void Ids_outside_the_vocabulary_are_refused(int id)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Models["odd sizes"].Reference.Recurrent([1, id]));
    }

    [Fact]
    public void Missing_and_misshapen_tensors_are_named()
    {
        var model = Models["odd sizes"];
        Assert.Equal("tensor blk.1.ffn_down.weight is missing", Refuse("blk.1.ffn_down.weight", null));
        Assert.Equal("tensor blk.0.attn_norm.weight is missing", Refuse("blk.0.attn_norm.weight", null));
        Assert.Equal("tensor output_norm.weight has 3 values; this model's has 15", Refuse("output_norm.weight", new float[3]));
        Assert.Equal("tensor blk.0.attn_q.bias has 1 values; this model's has 18", Refuse("blk.0.attn_q.bias", new float[1]));

        string Refuse(string tensor, float[]? values) => Assert.Throws<InvalidDataException>(
            () => new ReferenceModel(model.Config, name => name == tensor ? values : model.Tensor(name))).Message;
    }

    private static RandomModel Model(RetNetConfig config, Func<string, bool>? optional = null) => new(config, seed: 42, optional ?? (_ => false));

    private static double[] Gated(RandomModel model, int[] tokens, ReferenceStage wanted)
    {
        double[] found = [];
        var reference = new ReferenceModel(model.Config, model.Tensor)
        {
            Observer = (stage, _, values) => found = stage == wanted ? values.ToArray() : found,
        };
        reference.Parallel(tokens);
        return found;
    }

    private static void AssertSame(ReferenceState expected, ReferenceState actual, RetNetConfig config)
    {
        Assert.Equal(expected.Position, actual.Position);
        for (var layer = 0; layer < config.Layers; layer++)
            AssertClose(expected.Layer(layer).ToArray(), actual.Layer(layer).ToArray());
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance = Tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Select(Math.Abs).DefaultIfEmpty().Max();
        Assert.True(expected.Length == 0 || scale > 0);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance * scale);
    }
}
