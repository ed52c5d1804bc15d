#version 460
// x = scale · E[token], and one step forward: position ← position + 1.
//
// The token is tokens[position], put there by the host (prompt) or by the sampler of the step before, so a
// recorded step runs again and again without the host between. One workgroup.

#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint INTERLEAVE = 1;

#include "buffers.glsl"
#include "weights.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads weights;  // E [vocabulary][runs], interleaved
    Words scales;   // f16, two a word: [vocabulary][scaleWords(runs)]
    Words tokens;    // [logMask + 1], a ring of tokens
    Words position; // [1], tokens consumed so far
    Vectors x;      // [runs · RUN]
    uint runs;
    uint logMask;
    float scale;
};

void main()
{
    const uint n = position.at[0];
    const uint token = tokens.at[n & logMask];
    for (uint run = gl_LocalInvocationID.x; run < runs; run += gl_WorkGroupSize.x)
    {
        const uint block = run * RUN / BLOCK;
        vec4 w[RUN_VECTORS];
        unpackRun(weights.at[quadAt(rowStart(token, runs), run)], w);
        const float factor = scale * blockScale(loadScales(scales, token, runs, block), block);
        for (uint i = 0; i < RUN_VECTORS; i++)
            x.at[run * RUN_VECTORS + i] = factor * w[i];
    }
    barrier();
    if (gl_LocalInvocationID.x == 0)
        position.at[0] = n + 1;
}
