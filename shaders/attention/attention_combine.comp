#version 460
// Adds up what several workgroups found of a head's attention (attention.comp), each relative to its own largest score:
//
//   o = Σ_i exp(m_i − m)·o_i / Σ_i exp(m_i − m)·Σp_i,  m = max m_i
//
// A workgroup a head and sequence; one without steps left is skipped.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint HEAD_SIZE = 128;

layout(push_constant, std430) uniform Arguments
{
    Floats partials; // [sequences][heads][splits][HEAD_SIZE]
    Pairs sums;      // [sequences][heads][splits], (m_i, Σp_i)
    Words stepsLeft; // [sequences]
    Floats y;        // [sequences][outputStride], [heads][HEAD_SIZE] of each used
    uint outputStride;
    uint splits;     // MOST_SPLITS at most
};

const uint MOST_SPLITS = 64;
const uint AT_ONCE = 8; // loads in flight a thread

shared vec2 loaded[MOST_SPLITS];
shared float factors[MOST_SPLITS];

void main()
{
    const uint sequence = gl_WorkGroupID.y;
    if (stepsLeft.at[sequence] == 0)
        return;
    const uint first = (sequence * gl_NumWorkGroups.x + gl_WorkGroupID.x) * splits;
    for (uint i = gl_LocalInvocationID.x; i < splits; i += gl_WorkGroupSize.x)
        loaded[i] = sums.at[first + i];
    barrier();

    float largest = loaded[0].x;
    for (uint i = 1; i < splits; i++)
        largest = max(largest, loaded[i].x);
    float sum = 0.0;
    for (uint i = 0; i < splits; i++)
        sum += exp(loaded[i].x - largest) * loaded[i].y;
    for (uint i = gl_LocalInvocationID.x; i < splits; i += gl_WorkGroupSize.x)
        factors[i] = exp(loaded[i].x - largest) / sum;
    barrier();

    for (uint column = gl_LocalInvocationID.x; column < HEAD_SIZE; column += gl_WorkGroupSize.x)
    {
        float o = 0.0;
        for (uint i = 0; i < splits; i += AT_ONCE)
        {
            float part[AT_ONCE];
            [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
                part[e] = partials.at[(first + min(i + e, splits - 1)) * HEAD_SIZE + column];
            [[unroll]] for (uint e = 0; e < AT_ONCE; e++)
                if (i + e < splits)
                    o = fma(factors[i + e], part[e], o);
        }
        y.at[sequence * outputStride + gl_WorkGroupID.x * HEAD_SIZE + column] = o;
    }
}
