#version 460
// q̂ = R(nθ)·q and k̂ = R(nθ)·k/√dk for many tokens, in place: interleaved pairs at each token's position n. f32, or HALVES.
// INVERSE makes gradients with respect to q and k of those with respect to q̂ and k̂: dq = R(−nθ)·dq̂, dk = R(−nθ)·dk̂/√dk.

#extension GL_GOOGLE_include_directive : require

#ifdef HALVES
#define PairView Words
#define loaded(pair) unpackHalf2x16(pair)
#define stored(pair) packHalf2x16(pair)
#else
#define PairView Pairs
#define loaded(pair) pair
#define stored(pair) pair
#endif
#include "buffers.glsl"
#include "rotation.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint KEY_SIZE = 128;
layout(constant_id = 2) const bool INVERSE = false;

layout(push_constant, std430) uniform Arguments
{
    PairView x;      // [rows][stride / 2]: queries, then keys
    Phases angles;   // [KEY_SIZE / 2]
    Words positions; // [rows], tokens consumed, this one included: n + 1
    uint stride;
    uint queryPairs; // pairs of a row's queries
    uint pairs;      // and of its keys
    float keyScale;  // 1/√dk
};

void main()
{
    const uint row = gl_WorkGroupID.x;
    const uint n = positions.at[row] - 1;
    for (uint pair = gl_LocalInvocationID.x; pair < pairs; pair += gl_WorkGroupSize.x)
    {
        const uint at = row * (stride / 2) + pair;
        const vec2 r = rotation(angles.at[pair % (KEY_SIZE / 2)], n);
        const vec2 rotated = rotate(loaded(x.at[at]), INVERSE ? vec2(r.x, -r.y) : r);
        x.at[at] = stored(pair < queryPairs ? rotated : rotated * keyScale);
    }
}
