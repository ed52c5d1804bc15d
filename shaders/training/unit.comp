#version 460
// The feed-forward network's inner values from what its products gave, which is kept for the gradients:
//
//   h = act(a) · b                                       GATED; else h = act(a)
//
// A workgroup a row.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"
#include "activation.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint ACTIVATION = ACTIVATION_SILU;
layout(constant_id = 2) const bool GATED = true;

layout(push_constant, std430) uniform Arguments
{
    Floats x; // [rows][stride]: a, b behind it
    Floats h; // [rows][hiddenStride]
    uint columns;
    uint stride;
    uint hiddenStride;
};

void main()
{
    const uint row = gl_WorkGroupID.x;
    for (uint i = gl_LocalInvocationID.x; i < columns; i += gl_WorkGroupSize.x)
    {
        const uint at = row * stride + i;
        h.at[row * hiddenStride + i] = activate(x.at[at], ACTIVATION) * (GATED ? x.at[at + columns] : 1.0);
    }
}
