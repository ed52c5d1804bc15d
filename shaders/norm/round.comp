#version 460
// y = x in f16, for products whose inputs no norm writes. Whole quads, padding included; a workgroup a row.

#extension GL_GOOGLE_include_directive : require

#define HALF_FLOATS
#include "buffers.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant, std430) uniform Arguments
{
    Vectors x;  // [rows][quads]
    Halves y;   // [rows][4 · quads]
    uint quads; // of a row
};

void main()
{
    const uint row = gl_WorkGroupID.x * quads;
    for (uint i = gl_LocalInvocationID.x; i < quads; i += gl_WorkGroupSize.x)
    {
        const vec4 v = x.at[row + i];
        for (uint e = 0; e < 4; e++)
            y.at[4 * (row + i) + e] = toHalf(v[e]);
    }
}
