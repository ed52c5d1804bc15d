#version 460
// The second half of a product whose depth was divided among workgroups (product.glsl), the parts always in their order:
//
//   C = keep · C + b + Σ parts

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool KEEPS = false;
layout(constant_id = 2) const bool BIASED = false;

layout(push_constant, std430) uniform Arguments
{
    Floats partials;      // [parts][m][partialStride]
    Floats c;             // [m][cStride]
    Floats bias;          // BIASED: [n]
    uint m;
    uint n;
    uint parts;
    uint cStride;
    uint partialStride;
    float keep;           // KEEPS
};

void main()
{
    const uint column = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    const uint row = gl_WorkGroupID.y;
    if (column >= n)
        return;
    float sum = BIASED ? bias.at[column] : 0.0;
    for (uint part = 0; part < parts; part++)
        sum += partials.at[(part * m + row) * partialStride + column];
    const uint at = row * cStride + column;
    c.at[at] = KEEPS ? fma(keep, c.at[at], sum) : sum;
}
