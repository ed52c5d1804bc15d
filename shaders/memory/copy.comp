#version 460
// y = x, 16 bytes a thread and turn, in order over the whole grid: what a device's memory gives to a kernel that does nothing else.

#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;

#include "buffers.glsl"

layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer WrittenQuads { uvec4 at[]; };

layout(push_constant, std430) uniform Arguments
{
    Quads x;        // [quads]
    WrittenQuads y; // [quads]
    uint quads;
};

void main()
{
    const uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < quads; i += stride)
        y.at[i] = x.at[i];
}
