#version 460
// Σ g² of pieces of an array, a workgroup a piece: the first stage of the gradients' norm (clip.comp is the second).

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in; // a power of two
layout(constant_id = 1) const uint PIECE = 4096;

layout(push_constant, std430) uniform Arguments
{
    Floats values;   // [count]
    Floats partials; // [pieces]
    uint count;
};

#include "workgroup.glsl"

void main()
{
    const uint end = min(count, (gl_WorkGroupID.x + 1) * PIECE);
    float sum = 0.0;
    for (uint i = gl_WorkGroupID.x * PIECE + gl_LocalInvocationID.x; i < end; i += gl_WorkGroupSize.x)
        sum = fma(values.at[i], values.at[i], sum);
    const float total = workgroupSum(sum);
    if (gl_LocalInvocationID.x == 0)
        partials.at[gl_WorkGroupID.x] = total;
}
