using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

/// <summary>The reference against what torchscale's own code gives in float32 (tests/fixtures).</summary>
public class TorchscaleParityTests
{
    private const double Tolerance = 5e-6;

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void Recurrent_logits_and_states_are_torchscales(string folder)
    {
        var fixture = new TorchscaleFixture(folder);
        var expected = Doubles(fixture.Expected.Floats("logits_recurrent"));
        var logits = new List<double>();
        for (var sequence = 0; sequence < fixture.Batch.Count; sequence++)
        {
            var state = new ReferenceState(fixture.Config);
            logits.AddRange(fixture.Reference.Recurrent(fixture.Batch[sequence], state));
            AssertState(fixture, sequence, state);
        }

        AssertClose(expected, [.. logits], Tolerance);
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void Logits_after_520_tokens_are_torchscales(string folder)
    {
        var fixture = new TorchscaleFixture(folder);
        var logits = fixture.Reference.Chunkwise(fixture.Expected.Ints("long.ids"), 64);

        // torchscale's parallel form divides by a clamped sum of scores, which shifts ε, and multiplies angles in float32, hence the wider margin.
        AssertClose(Doubles(fixture.Expected.Floats("long.logits_last")), logits[^fixture.Config.VocabularySize..], 2e-4);
    }

    /// <summary>torchscale keeps KV = Σ γ^(n−m) v_m k̂_mᵀ / √S_n as [B, H, dv, dk], and S_n as scale [H].</summary>
    private static void AssertState(TorchscaleFixture fixture, int sequence, ReferenceState state)
    {
        var config = fixture.Config;
        var size = config.Heads * config.KeySize * config.ValueSize;
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var scale = fixture.Expected.Floats($"state_scale.{layer}");
            var actual = new double[size];
            for (var i = 0; i < size; i++)
            {
                var (head, value, key) = (i / (config.KeySize * config.ValueSize), i / config.KeySize % config.ValueSize, i % config.KeySize);
                actual[i] = state.Layer(layer)[(head * config.KeySize + key) * config.ValueSize + value] / Math.Sqrt(scale[head]);
            }

            var expected = fixture.Expected.Floats($"state.{layer}").AsSpan(sequence * size, size);
            AssertClose(Doubles([.. expected]), actual, Tolerance);
        }
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Max(Math.Abs);
        Assert.True(scale > 0);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance * scale);
    }
}
