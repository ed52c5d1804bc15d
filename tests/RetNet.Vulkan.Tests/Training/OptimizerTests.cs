using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Updates against the same formulas in double precision, as torch.optim writes them.</summary>
[Collection(TestDevices.Collection)]
public sealed class OptimizerTests(TestDevices devices)
{
    private static ParameterGroup[] Groups { get; } =
    [
        new("one", [new("a", 97, 60), new("b", 5, 64), new("frozen", 3, 7) { Trainable = false }, new("c", 1, 130) { IsMatrix = false, Decays = false }]),
        new("two", [new("d", 70, 200)]),
    ];

    private readonly Random _random = new(11);

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void AdamWIsTorchs(int device, string name)
    {
        _ = name;
        using var parameters = Filled(device);
        var options = new AdamWOptions { Beta1 = 0.9, Beta2 = 0.95, WeightDecay = 0.1, ClipNorm = 3 };
        using var optimizer = new AdamW(devices[device], parameters, options);
        var expected = Values(parameters, ParameterKind.Weight);
        var (first, second) = (Zeros(expected), Zeros(expected));
        for (var step = 1; step <= 4; step++)
        {
            const double rate = 1e-2, lossScale = 64;
            var gradients = Gradients(parameters, lossScale);
            var factor = Clip(gradients, 3, out var norm);
            foreach (var (key, w) in expected)
                for (var i = 0; i < w.Length; i++)
                {
                    var g = gradients[key][i] * factor;
                    w[i] *= 1 - (key == "c" ? 0 : rate * 0.1);
                    first[key][i] += 0.1 * (g - first[key][i]);
                    second[key][i] = (0.95 * second[key][i]) + (0.05 * g * g);
                    w[i] -= rate / (1 - Math.Pow(0.9, step)) * first[key][i] / ((Math.Sqrt(second[key][i]) / Math.Sqrt(1 - Math.Pow(0.95, step))) + 1e-8);
                }

            Assert.Equal(norm, optimizer.Step(rate, lossScale), norm * 1e-5);
        }

        Assert.Equal(4, optimizer.Steps);
        Near(expected, parameters, ParameterKind.Weight);
        Near(first, parameters, ParameterKind.FirstMoment);
        Near(second, parameters, ParameterKind.SecondMoment);
    }

    [Theory]
    [InlineData(0.0, 0.1)]
    [InlineData(0.9, 0.1)]
    [InlineData(0.9, 0.0)]
    public void SgdIsTorchs(double momentum, double decay)
    {
        var device = (int)TestDevices.All.First()[0];
        using var parameters = Filled(device);
        using var optimizer = new Sgd(devices[device], parameters, new SgdOptions { Momentum = momentum, WeightDecay = decay });
        var expected = Values(parameters, ParameterKind.Weight);
        var first = Zeros(expected);
        for (var step = 0; step < 3; step++)
        {
            var gradients = Gradients(parameters, 1);
            foreach (var (key, w) in expected)
                for (var i = 0; i < w.Length; i++)
                {
                    var g = gradients[key][i] + (key == "c" ? 0 : decay * w[i]);
                    first[key][i] = (momentum * first[key][i]) + g;
                    w[i] -= 0.05 * first[key][i];
                }

            optimizer.Step(0.05);
        }

        Near(expected, parameters, ParameterKind.Weight);
        Assert.Equal(momentum > 0, parameters.Has("a", ParameterKind.FirstMoment));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(3e38f)]
    public void GradientsThatAreNotFiniteChangeNothing(float bad)
    {
        var device = (int)TestDevices.All.First()[0];
        using var parameters = Filled(device);
        using var optimizer = new AdamW(devices[device], parameters, new AdamWOptions { WeightDecay = 0.1 });
        Gradients(parameters, 1);
        optimizer.Step(1e-2);
        ParameterKind[] changed = [ParameterKind.Weight, ParameterKind.FirstMoment, ParameterKind.SecondMoment];
        var before = changed.Select(kind => Values(parameters, kind)).ToArray();
        var gradient = parameters.Read("d", ParameterKind.Gradient);
        gradient[13_999] = bad;
        parameters.Write("d", ParameterKind.Gradient, gradient);

        Assert.False(double.IsFinite(optimizer.Step(1e-2)));
        Assert.Equal(1, optimizer.Steps);
        Assert.Equal(before, changed.Select(kind => Values(parameters, kind)));
    }

    /// <summary>Weights, moments and the number of steps are all that an optimiser goes on from.</summary>
    [Fact]
    public void GoesOnFromItsMoments()
    {
        var device = (int)TestDevices.All.First()[0];
        using var parameters = Filled(device);
        using var optimizer = new AdamW(devices[device], parameters, new AdamWOptions());
        Gradients(parameters, 1);
        optimizer.Step(1e-2);
        using var copy = new ParameterSet(devices[device], Groups);
        using var other = new AdamW(devices[device], copy, new AdamWOptions()) { Steps = optimizer.Steps };
        foreach (var tensor in parameters.Tensors)
            foreach (var kind in Enum.GetValues<ParameterKind>().Where(kind => parameters.Has(tensor.Name, kind)))
                copy.Write(tensor.Name, kind, parameters.Read(tensor.Name, kind));

        Assert.Equal(optimizer.Step(1e-2), other.Step(1e-2));
        Assert.Equal(Values(parameters, ParameterKind.Weight), Values(copy, ParameterKind.Weight));
    }

    private ParameterSet Filled(int device)
    {
        var parameters = new ParameterSet(devices[device], Groups);
        foreach (var tensor in parameters.Tensors)
            parameters.Write(tensor.Name, ParameterKind.Weight, Random(tensor.Elements));
        return parameters;
    }

    /// <summary>New gradients times the loss' scale; returned without it.</summary>
    private Dictionary<string, double[]> Gradients(ParameterSet parameters, double lossScale)
    {
        foreach (var tensor in parameters.Tensors.Where(tensor => tensor.Trainable))
            parameters.Write(tensor.Name, ParameterKind.Gradient, Random(tensor.Elements).Select(value => (float)(value * lossScale)).ToArray());
        return Values(parameters, ParameterKind.Gradient).ToDictionary(pair => pair.Key, pair => pair.Value.Select(value => value / lossScale).ToArray());
    }

    private float[] Random(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (_random.NextSingle() * 2) - 1)];

    private static double Clip(Dictionary<string, double[]> gradients, double most, out double norm)
    {
        norm = Math.Sqrt(gradients.Values.Sum(values => values.Sum(value => value * value)));
        return Math.Min(1, most / (norm + 1e-6));
    }

    private static Dictionary<string, double[]> Values(ParameterSet parameters, ParameterKind kind) =>
        parameters.Tensors.Where(tensor => tensor.Trainable).ToDictionary(tensor => tensor.Name, tensor => parameters.Read(tensor.Name, kind).Select(value => (double)value).ToArray());

    private static Dictionary<string, double[]> Zeros(Dictionary<string, double[]> like) => like.ToDictionary(pair => pair.Key, pair => new double[pair.Value.Length]);

    private static void Near(Dictionary<string, double[]> expected, ParameterSet parameters, ParameterKind kind)
    {
        foreach (var (name, values) in expected)
            Tolerance.Near(values, parameters.Read(name, kind), 2e-6);
    }
}
