#version 460
// x_n = scale · E[token_n] for many tokens; a workgroup a token.

#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint INTERLEAVE = 1;

#include "buffers.glsl"
#include "weights.glsl"
#include "embedding.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads weights; // E [vocabulary][runs], interleaved
    Words scales;  // f16, two a word: [vocabulary][scaleWords(runs)]
    Words tokens;  // [rows]
    Vectors x;     // [rows][vectors]
    uint runs;
    uint vectors;  // vectors from one row of x to the next
    float scale;
};

void main()
{
    const uint row = gl_WorkGroupID.x;
    embed(weights, scales, tokens.at[row], x, row * vectors, runs, scale);
}
