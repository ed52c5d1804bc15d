#version 460
// y = x + 1, a workgroup a float, as one dispatch of a chain (chain.glsl): tries a device for starting workgroups in the order of
// their dispatches.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"
#include "chain.glsl"

layout(local_size_x_id = 0) in;

layout(push_constant, std430) uniform Arguments
{
    ChainedFloats x; // [workgroups], MISSING until it is there
    ChainedFloats y; // [workgroups]
};

void main()
{
    if (gl_LocalInvocationID.x > 0)
        return;
    // The last workgroups are waited for first.
    const uint i = gl_NumWorkGroups.x - 1 - gl_WorkGroupID.x;
    float value = x.at[i];
    for (uint polls = 0; isMissing(value) && polls < MOST_POLLS; polls++)
        value = x.at[i];
    y.at[gl_WorkGroupID.x] = value + 1.0;
}
