namespace RetNet.Vulkan.Model;

/// <summary>S_n = Σ_{t=0..n} γᵗ, by whose root torchscale divides retention.</summary>
internal static class DecaySum
{
    public static double Of(double decay, long n) => decay == 1 ? n + 1 : (1 - Math.Pow(decay, n + 1)) / (1 - decay);
}
