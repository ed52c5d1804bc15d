using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

public class ActivationsTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1e-10, 1.1283791670955126e-10)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1, 0.8427007929497149)]
    [InlineData(-2, -0.9953222650189527)]
    [InlineData(3, 0.9999779095030014)]
    [InlineData(5, 0.9999999999984626)]
    [InlineData(7, 1)]
    [InlineData(double.NegativeInfinity, -1)]
    public void Erf_has_double_precision(double x, double expected)
    {
        Assert.Equal(expected, Activations.Erf(x), Math.Max(Math.Abs(expected), 1e-300) * 1e-15);
    }

    [Theory]
    [InlineData(Activation.Silu, 1, 0.7310585786300049)]
    [InlineData(Activation.Silu, -800, 0)]
    [InlineData(Activation.Gelu, 1, 0.8413447460685429)]
    [InlineData(Activation.Gelu, -1, -0.15865525393145707)]
    [InlineData(Activation.Relu, -1, 0)]
    [InlineData(Activation.Relu, 2.5, 2.5)]
    public void Activations_have_their_known_values(Activation activation, double x, double expected)
    {
        Assert.Equal(expected, Activations.Apply(activation, x), 1e-15);
    }
}
