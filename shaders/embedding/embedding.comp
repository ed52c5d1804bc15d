#version 460
// x = scale · E[token] of each sequence, and one step forward: position ← position + 1; x = 0 of one without steps left.
//
// The token is the one at the position in the sequence's log, put there by the host (prompt) or by the sampler of the step
// before, so a recorded step runs again and again without the host between. A workgroup a sequence.

#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint INTERLEAVE = 1;

#include "buffers.glsl"
#include "weights.glsl"
#include "embedding.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads weights;   // E [vocabulary][runs], interleaved
    Words scales;    // f16, two a word: [vocabulary][scaleWords(runs)]
    Words tokens;    // [sequences][logMask + 1], a ring of tokens each
    Words positions; // [sequences], tokens consumed so far
    Words stepsLeft; // [sequences]
    Vectors x;       // [sequences][vectors]
    uint runs;
    uint vectors;    // vectors from one row of x to the next
    uint logMask;
    float scale;
};

void main()
{
    const uint sequence = gl_WorkGroupID.x;
    const uint n = positions.at[sequence];
    if (stepsLeft.at[sequence] == 0)
    {
        for (uint i = gl_LocalInvocationID.x; i < runs * RUN_VECTORS; i += gl_WorkGroupSize.x)
            x.at[sequence * vectors + i] = vec4(0.0);
        return;
    }
    embed(weights, scales, tokens.at[sequence * (logMask + 1) + (n & logMask)], x, sequence * vectors, runs, scale);
    barrier();
    if (gl_LocalInvocationID.x == 0)
        positions.at[sequence] = n + 1;
}
