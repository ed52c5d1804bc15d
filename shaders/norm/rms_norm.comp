#version 460
// x ← x · w / √(mean(x²) + ε), in place: the embedding norm, and the norms of a post-norm model.
// One workgroup. (Pre-norms need no kernel of their own: matvec.comp normalises as it reads.)

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant, std430) uniform Arguments
{
    Floats x;      // [columns]
    Floats weight; // [columns]
    uint columns;
    float eps;
};

shared float partial[gl_WorkGroupSize.x];

void main()
{
    const uint thread = gl_LocalInvocationID.x;
    float squares = 0.0;
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
        squares += x.at[i] * x.at[i];
    partial[thread] = squares;
    barrier();
    for (uint width = gl_WorkGroupSize.x / 2; width > 0; width /= 2)
    {
        if (thread < width)
            partial[thread] += partial[thread + width];
        barrier();
    }
    const float scale = inversesqrt(partial[0] / float(columns) + eps);
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
        x.at[i] *= scale * weight.at[i];
}
