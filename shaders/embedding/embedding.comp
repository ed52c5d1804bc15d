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
#include "embedding.glsl"

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
    embed(weights, scales, tokens.at[n & logMask], x, 0, runs, scale);
    barrier();
    if (gl_LocalInvocationID.x == 0)
        position.at[0] = n + 1;
}
