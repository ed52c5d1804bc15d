#version 460
// Gradients of unit.comp, in place of what it was given:
//
//   a ← dh · b · act'(a),  b ← dh · act(a)               GATED; else a ← dh · act'(a)
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
    Floats x;  // [rows][stride]: a, b behind it
    Floats dh; // [rows][hiddenStride]
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
        const float a = x.at[at];
        const float d = dh.at[row * hiddenStride + i];
        x.at[at] = d * activationDerivative(a, ACTIVATION) * (GATED ? x.at[at + columns] : 1.0);
        if (GATED)
            x.at[at + columns] = d * activate(a, ACTIVATION);
    }
}
