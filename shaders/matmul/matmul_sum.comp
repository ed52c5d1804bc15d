#version 460
// The second half of a product whose columns were divided among workgroups (matmul.glsl): adds the parts of each element
// in their order and finishes it.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"
#include "output.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint OUTPUT = 0;
layout(constant_id = 2) const uint ACTIVATION = 0;
layout(constant_id = 3) const bool BIASED = false;
layout(constant_id = 4) const bool HALF_OUTPUT = false;

layout(push_constant, std430) uniform Arguments
{
    Floats partials;      // [parts][tokens][partialStride]
    ResultView y;         // [tokens][yStride], f32 or f16
    Floats bias;          // BIASED: [halves · rows]
    uint rows;
    uint tokens;
    uint parts;
    uint yStride;
    uint partialStride;
    float residualScale;
};

#include "matmul_output.glsl"

void main()
{
    const uint row = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    const uint token = gl_WorkGroupID.y;
    if (row >= rows)
        return;
    float first = 0.0;
    float second = 0.0;
    for (uint part = 0; part < parts; part++)
    {
        const uint at = (part * tokens + token) * partialStride + row;
        first += partials.at[at];
        if (OUTPUT == OUTPUT_GLU)
            second += partials.at[at + rows];
    }
    finish(token, row, first, second);
}
