namespace RetNet.Vulkan.Verification;

/// <summary>Gradients of the norm of one row in double precision.</summary>
internal sealed class NormGradient
{
    /// <param name="x">What is normalised.</param>
    /// <param name="dy">Gradient with respect to the result.</param>
    /// <param name="weight">The norm's weight.</param>
    /// <param name="subtractMean">True for LayerNorm.</param>
    /// <param name="eps">ε.</param>
    public NormGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, ReadOnlySpan<float> weight, bool subtractMean, double eps)
    {
        var length = x.Length;
        double[] values = [.. x.ToArray().Select(value => (double)value)];
        Mean = subtractMean ? values.Average() : 0;
        Scale = 1 / Math.Sqrt(values.Average(value => (value - Mean) * (value - Mean)) + eps);
        Normed = [.. values.Select(value => (value - Mean) * Scale)];
        var e = new double[length];
        for (var i = 0; i < length; i++)
            e[i] = (double)dy[i] * weight[i];
        var meanE = subtractMean ? e.Average() : 0;
        var meanProduct = e.Zip(Normed, (a, b) => a * b).Average();
        Input = [.. e.Select((value, i) => Scale * (value - meanE - Normed[i] * meanProduct))];
    }

    /// <summary>μ, 0 of RMSNorm.</summary>
    public double Mean { get; }

    /// <summary>r.</summary>
    public double Scale { get; }

    /// <summary>x̂.</summary>
    public double[] Normed { get; }

    /// <summary>dx.</summary>
    public double[] Input { get; }
}
