#version 460
// A matrix of any type as f16, rows padded alike: unpacked once, where many tokens are multiplied with it. A workgroup a row.

#extension GL_GOOGLE_include_directive : require

#define HALF_FLOATS
layout(local_size_x_id = 0) in;
const uint INTERLEAVE = 1;

#include "buffers.glsl"
#include "weights.glsl"

layout(buffer_reference, std430, buffer_reference_align = 8) writeonly buffer HalfVectors { uvec2 at[]; };

layout(push_constant, std430) uniform Arguments
{
    Quads weights;        // [rows][runs]
    Words scales;         // f16, two a word: [rows][scaleWords(runs)]
    HalfVectors unpacked; // [rows][runs · RUN], four f16 a vector
    uint runs;
};

void main()
{
    const uint row = gl_WorkGroupID.x;
    for (uint run = gl_LocalInvocationID.x; run < runs; run += gl_WorkGroupSize.x)
    {
        const uint block = run * RUN / BLOCK;
        const float scale = blockScale(loadScales(scales, row, runs, block), block);
        vec4 w[RUN_VECTORS];
        unpackRun(weights.at[quadAt(rowStart(row, runs), run)], w);
        [[unroll]] for (uint i = 0; i < RUN_VECTORS; i++)
        {
            const vec4 four = clamp(scale * w[i], -HALF_MAX, HALF_MAX);
            unpacked.at[(row * runs + run) * RUN_VECTORS + i] = uvec2(packHalf2x16(four.xy), packHalf2x16(four.zw));
        }
    }
}
