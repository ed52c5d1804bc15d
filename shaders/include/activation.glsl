// Activations of the feed-forward network and their derivatives; the numbers are RetNet.Vulkan.Model.Activation's.

const uint ACTIVATION_SILU = 0;
const uint ACTIVATION_GELU = 1;
const uint ACTIVATION_RELU = 2;

float silu(float x)
{
    return x / (1.0 + exp(-x));
}

// σ + x·σ·(1 − σ).
float siluDerivative(float x)
{
    const float s = 1.0 / (1.0 + exp(-x));
    return s * (1.0 + x * (1.0 - s));
}

// erf to 1.2e-7 absolute: a Chebyshev fit of erfc(|x|)·exp(x²) in t = 1 / (1 + |x|/2)
// (W. H. Press et al., Numerical Recipes, 2nd edition, §6.2).
float erfAccurate(float x)
{
    const float a = abs(x);
    const float t = 1.0 / (1.0 + 0.5 * a);
    const float p = t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
        + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
    return sign(x) * (1.0 - t * exp(-a * a - 1.26551223 + p));
}

float activate(float x, uint activation)
{
    if (activation == ACTIVATION_GELU)
        return 0.5 * x * (1.0 + erfAccurate(x * 0.70710678118654752));
    if (activation == ACTIVATION_RELU)
        return max(x, 0.0);
    return silu(x);
}

// Φ(x) + x·φ(x) of gelu; relu's is 0 at 0, as torch has it.
float activationDerivative(float x, uint activation)
{
    if (activation == ACTIVATION_GELU)
        return 0.5 * (1.0 + erfAccurate(x * 0.70710678118654752)) + x * 0.39894228040143268 * exp(-0.5 * x * x);
    if (activation == ACTIVATION_RELU)
        return x > 0.0 ? 1.0 : 0.0;
    return siluDerivative(x);
}
