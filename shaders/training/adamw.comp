#version 460
// AdamW (Loshchilov and Hutter 2019) in the order of torch.optim.AdamW:
//
//   w ← w · (1 − lr·λ)                     DECAYS
//   m ← m + (1 − β₁)(g − m)
//   v ← β₂v + (1 − β₂)g²
//   w ← w − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
//
// with g the gradient times its factor; nothing where that is zero.

#extension GL_GOOGLE_include_directive : require

#include "update.glsl"

layout(push_constant, std430) uniform Arguments
{
    Floats weights;   // [count]
    Floats gradients; // [count]
    Floats first;     // m
    Floats second;    // v
    Floats settings;  // 2: 1 − lr·λ, 3: lr/(1 − β₁ᵗ), 4: √(1 − β₂ᵗ)
    Floats factor;
    uint count;
    float meanShare;   // 1 − β₁
    float squareKeep;  // β₂
    float squareShare; // 1 − β₂
    float eps;
};

void main()
{
    const float scale = factor.at[0];
    if (scale == 0.0)
        return;
    const float keep = DECAYS ? settings.at[2] : 1.0;
    const float size = settings.at[3];
    const float correction = settings.at[4];
    const uint end = endOwn(count);
    for (uint i = firstOwn(); i < end; i += gl_WorkGroupSize.x)
    {
        const float g = gradients.at[i] * scale;
        const float m = fma(meanShare, g - first.at[i], first.at[i]);
        const float v = fma(squareShare * g, g, squareKeep * second.at[i]);
        first.at[i] = m;
        second.at[i] = v;
        weights.at[i] = weights.at[i] * keep - size * m / (sqrt(v) / correction + eps);
    }
}
