#version 460
// The gradient of a key/value head, the sum over the heads that it serves:
//
//   y[head] = Σ x[head · GROUP + g]                      over g < GROUP
//
// A workgroup a row.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint GROUP = 1;

layout(push_constant, std430) uniform Arguments
{
    Floats x;     // [rows][xStride], [heads · GROUP][size] of each used
    Floats y;     // [rows][yStride], [heads][size] of each written
    uint columns; // heads · size
    uint size;
    uint xStride;
    uint yStride;
};

void main()
{
    const uint row = gl_WorkGroupID.x;
    for (uint i = gl_LocalInvocationID.x; i < columns; i += gl_WorkGroupSize.x)
    {
        const uint at = row * xStride + i / size * GROUP * size + i % size;
        float sum = 0.0;
        for (uint g = 0; g < GROUP; g++)
            sum += x.at[at + g * size];
        y.at[row * yStride + i] = sum;
    }
}
