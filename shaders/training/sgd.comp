#version 460
// Gradient descent with momentum as torch.optim.SGD:
//
//   g ← g + λw         DECAYS
//   m ← μm + g
//   w ← w − lr·m
//
// with g the gradient times its factor; nothing where that is zero. Without momentum there is no m.

#extension GL_GOOGLE_include_directive : require

#include "update.glsl"

layout(constant_id = 3) const bool MOMENTUM = true;

layout(push_constant, std430) uniform Arguments
{
    Floats weights;   // [count]
    Floats gradients; // [count]
    Floats first;     // m; MOMENTUM
    Floats settings;  // 2: lr
    Floats factor;
    uint count;
    float momentum; // μ
    float decay;    // λ
};

void main()
{
    const float scale = factor.at[0];
    if (scale == 0.0)
        return;
    const float rate = settings.at[2];
    const uint end = endOwn(count);
    for (uint i = firstOwn(); i < end; i += gl_WorkGroupSize.x)
    {
        float g = gradients.at[i] * scale;
        if (DECAYS)
            g = fma(decay, weights.at[i], g);
        if (MOMENTUM)
        {
            g = fma(momentum, first.at[i], g);
            first.at[i] = g;
        }
        weights.at[i] = fma(-rate, g, weights.at[i]);
    }
}
